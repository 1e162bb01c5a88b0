"""`companion body`: list what this unit's body can show, play one cue, or draw the toy on a page.

`companion body view` repeats the demonstration's conversation, in real time and with files in place of the sound card,
and draws the body on a page. To see a toy that you talk to yourself, add the page to its outputs instead:
`body.outputs = ["page"]`.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import secrets
import socket
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import click

from companion.cli.group import HelpfulGroup
from companion.cli.options import PROJECT, own_file, run_to_end, unit_options
from companion.config.device import Device
from companion.config.outputs import PageSettings
from companion.config.persona import Persona
from companion.errors import DeviceError
from companion.events import BodyFrame


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default="a free one", help="Where the page is.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in this machine's browser.")
@click.option("--rounds", type=click.IntRange(1), hidden=True, help="How often the conversation is held; for tests.")
@click.option(
    "--device",
    "device_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The device file whose body is drawn; the demonstration's when not given, as the conversation always is.",
)
def view(port: int, open_page: bool, rounds: int | None, device_file: Path | None) -> None:
    """Draw the toy on a page of this machine while the demonstration talks, until stopped."""
    from companion.config.unit import load_unit
    from companion.demo.demonstration import load_demo_unit

    own_file(PROJECT / "configs")
    device, persona = load_demo_unit(PROJECT)
    shown = device
    if device_file is not None:
        shown, its_persona = load_unit(device_file)
        # Its body is drawn, so its name stands above it; what is said is the demonstration's.
        persona = persona.model_copy(update={"name": its_persona.name})
    page = PageSettings(port=_free_port(port), path=secrets.token_urlsafe(16), open=open_page)
    body = shown.body.model_copy(update={"outputs": ("page",), "page": page})
    click.echo(
        f"Look at {persona.name} ({shown.name}) at http://127.0.0.1:{page.port}/{page.path}/ (Ctrl-C ends)", err=True
    )
    asyncio.run(_converse(device.model_copy(update={"body": body}), persona, rounds))


async def _converse(device: Device, persona: Persona, rounds: int | None) -> None:
    from companion.app import converse_with_files
    from companion.demo.demonstration import user_speech, write_wav

    with tempfile.TemporaryDirectory(prefix="companion-view-") as folder:
        heard, said = Path(folder) / "user.wav", Path(folder) / "reply.wav"
        write_wav(heard, await user_speech(device, persona))
        held = 0
        while rounds is None or held < rounds:
            await converse_with_files(device, persona, heard, said, None, realtime=True)
            # The browser is opened only once; the page reconnects by itself after each round.
            page = device.body.page.model_copy(update={"open": False})
            device = device.model_copy(update={"body": device.body.model_copy(update={"page": page})})
            held += 1


def _free_port(wanted: int) -> int:
    """The wanted port, or a free one for 0; each round of the conversation serves the page there again.

    Raises `DeviceError` where the port is taken: the page is all that this command shows.
    """
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", wanted))
        except OSError as error:
            what = (
                f"cannot use port {wanted}: {error.strerror}. Name another"
                if wanted
                else f"finds no free port: {error.strerror}"
            )
            raise DeviceError(f"The page of the body {what}.") from error
        port: int = one.getsockname()[1]
    return port


_HEADINGS = {"emotion": "Emotions", "gesture": "Gestures", "state": "States", "idle": "While nothing happens"}


@click.group(cls=HelpfulGroup)
def body() -> None:
    """What the body can show."""


@body.command("list")
@unit_options
def list_entries(device_file: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """List the emotions, gestures and states, each with the channels of this device that show it."""
    from companion.body.choreography import load_choreography
    from companion.cli.body_play import entries
    from companion.config.unit import load_unit

    device, _ = load_unit(device_file, settings)
    found = list(entries(load_choreography(device.body.choreography), device.body))
    if as_json:
        fields = [{"kind": e.kind, "name": e.name, "shown": e.shown, "missing": e.missing} for e in found]
        click.echo(json.dumps(fields))
        return
    heading = ""
    for entry in found:
        if entry.kind != heading:
            click.echo(f"{chr(10) if heading else ''}{_HEADINGS[entry.kind]}")
            heading = entry.kind
        mark = "●" if entry.shown else "○"
        missing = f"  (not here: {', '.join(entry.missing)})" if entry.missing else ""
        click.echo(f"  {mark} {entry.name:14s}{', '.join(entry.shown) or 'nothing of it'}{missing}")


@body.command()
@click.argument("cue")
@click.option("--intensity", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="0 faint, 1 whole.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), help="Seconds to play; by default until it is over.")
@click.option("--seed", type=click.IntRange(0, 2**32), help="The same number plays it the same way.")
@unit_options
def play(
    cue: str,
    intensity: float,
    seconds: float | None,
    seed: int | None,
    device_file: Path,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show one emotion, gesture or state on this device's outputs.

    With --json on none of them: every frame is printed as a line of JSON, the pose of rest first, and no time is taken.
    """
    import random

    from companion.body.choreography import load_choreography
    from companion.cli.body_play import FrameWriter, SteppedClock, entries, play_entry
    from companion.config.unit import load_unit

    device, persona = load_unit(device_file, settings)
    choreography = load_choreography(device.body.choreography)
    playable = {entry.name: entry for entry in entries(choreography, device.body) if entry.kind != "idle"}
    if cue not in playable:
        near = difflib.get_close_matches(cue, playable, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`companion body list` names them all."
        raise click.BadParameter(f"there is no {cue}; {hint}", param_hint="CUE")
    entry = playable[cue]
    seed = random.getrandbits(32) if seed is None else seed

    async def print_frames() -> None:
        clock = SteppedClock()
        writer = FrameWriter(device.body, clock, _print_frame)
        await clock.run_to_completion(
            play_entry(
                entry,
                choreography,
                device.body,
                [writer],
                clock,
                intensity=intensity,
                seconds=seconds,
                seed=seed,
                on_start=writer.start,
            )
        )

    # On a page alone there is nothing to wear out, and somebody has yet to open it.
    again = "page" in device.body.outputs and set(device.body.outputs) <= {"page", "simulated"}

    async def play_on_outputs() -> None:
        from companion import plugins
        from companion.body.page import PageBody
        from companion.sound.card import MonotonicClock

        async with AsyncExitStack() as stack:
            bodies = []
            for name in device.body.outputs:
                bodies.append(plugins.build_engine("bodies", name, device, persona))
                stack.push_async_callback(bodies[-1].close)
                if isinstance(bodies[-1], PageBody):
                    until = " It is played again and again (Ctrl-C ends)." if again else ""
                    click.echo(f"Look at it at {bodies[-1].start()}{until}", err=True)
            clock = MonotonicClock()
            played = False
            while again or not played:
                await play_entry(
                    entry,
                    choreography,
                    device.body,
                    bodies,
                    clock,
                    intensity=intensity,
                    seconds=seconds,
                    seed=seed,
                )
                played = True

    if as_json:
        run_to_end(print_frames())
        return
    shown = ", ".join(entry.shown) or "nothing: this device has none of its channels"
    click.echo(f"{cue} on {', '.join(device.body.outputs)}: {shown} (--seed {seed})", err=True)
    run_to_end(play_on_outputs())


def _print_frame(t: float, frame: BodyFrame) -> None:
    positions = {name: round(value, 4) for name, value in frame.positions.items()}
    click.echo(json.dumps({"t": round(t, 4), "lights": frame.lights, "positions": positions}))


body.add_command(view)
