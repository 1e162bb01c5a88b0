"""`companion status` and `companion control`: talk to the running daemon, from a shell or from another program."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from companion.cli.group import HelpfulGroup
from companion.service.control_protocol import GetStatus, PressButton, ReloadPersona, Request, Say, SetVolume

Command = TypeVar("Command", bound=Callable[..., Any])


def _socket_option(command: Command) -> Command:
    return click.option(
        "--socket",
        type=click.Path(path_type=Path),
        help="The daemon's socket, where it is not the usual one.",
    )(command)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@_socket_option
def status(as_json: bool, socket: Path | None) -> None:
    """Show the state of the running device: last turn, engines, memory, temperature, links, queues.

    Exit status: 0 it runs and is well, 1 there is a problem, 69 it does not run.
    """
    from companion.service.control import send_request
    from companion.service.status import format_status

    found = send_request(GetStatus(), socket).status
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else format_status(found))
    if found.get("problems"):
        sys.exit(1)


@click.group(cls=HelpfulGroup)
def control() -> None:
    """Use the running device's buttons, or have it say something or take on another persona."""


def _send(request: Request, socket: Path | None) -> None:
    from companion.service.control import send_request

    click.echo(send_request(request, socket).sentence)


@control.command()
@_socket_option
def wake(socket: Path | None) -> None:
    """Press its button: it listens, as after its wake word."""
    _send(PressButton("wake"), socket)


@control.command()
@_socket_option
def mute(socket: Path | None) -> None:
    """Shut its ears. What it is saying ends."""
    _send(PressButton("mute"), socket)


@control.command()
@_socket_option
def unmute(socket: Path | None) -> None:
    """Open its ears again."""
    _send(PressButton("unmute"), socket)


@control.command()
@_socket_option
def stop(socket: Path | None) -> None:
    """End what it is saying and doing."""
    _send(PressButton("stop"), socket)


@control.command()
@click.argument("percent", type=click.IntRange(0, 100))
@_socket_option
def volume(percent: int, socket: Path | None) -> None:
    """Speak this loud from now on: PERCENT from 0 to 100."""
    _send(SetVolume(percent), socket)


@control.command()
@click.argument("text")
@_socket_option
def say(text: str, socket: Path | None) -> None:
    """Let the character say TEXT as soon as nobody is speaking; muted ears do not hinder it."""
    _send(Say(" ".join(text.split())), socket)


@control.command()
@click.argument("name")
@_socket_option
def persona(name: str, socket: Path | None) -> None:
    """Become the persona NAME: the name of a file beside the present persona's, or of its character.

    A file with mistakes is refused, and the old persona stays.
    """
    _send(ReloadPersona(name), socket)


@control.command()
@_socket_option
def reload(socket: Path | None) -> None:
    """Read the persona's file anew (as SIGHUP does). A bad one is refused with all its problems; the old one stays."""
    _send(ReloadPersona(), socket)
