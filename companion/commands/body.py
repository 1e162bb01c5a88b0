"""`companion body`: what this unit's body can show, and one cue by itself."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click

from companion.commands.body_view import view
from companion.commands.options import unit_options
from companion.errors import CompanionError
from companion.events import BodyFrame

_HEADINGS = {"emotion": "Emotions", "gesture": "Gestures", "state": "States", "idle": "While nothing happens"}


@click.group()
def body() -> None:
    """What the body can show."""


@body.command("list")
@unit_options
def list_entries(device_file: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """List the emotions, gestures and states, each with the channels of this device that show it."""
    from companion.app import load
    from companion.body.choreography import load_choreography
    from companion.rehearsal import entries

    device, _ = load(device_file, settings)
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
@click.option("--seconds", type=click.FloatRange(0.1, 600), help="How long; as long as it takes when not given.")
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

    from companion.app import load
    from companion.body.choreography import load_choreography
    from companion.rehearsal import FrameWriter, SteppedClock, entries, rehearse

    device, persona = load(device_file, settings)
    choreography = load_choreography(device.body.choreography)
    playable = {entry.name: entry for entry in entries(choreography, device.body) if entry.kind != "idle"}
    if cue not in playable:
        near = difflib.get_close_matches(cue, playable, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`companion body list` names them all."
        raise click.BadParameter(f"there is no {cue}; {hint}", param_hint="CUE")
    entry = playable[cue]
    seed = random.getrandbits(32) if seed is None else seed

    async def in_no_time() -> None:
        clock = SteppedClock()
        writer = FrameWriter(device.body, clock, _print_frame)
        await clock.hurry(
            rehearse(
                entry,
                choreography,
                device.body,
                [writer],
                clock,
                intensity=intensity,
                seconds=seconds,
                seed=seed,
                began=writer.start,
            )
        )

    async def on_its_outputs() -> None:
        from companion import plugins
        from companion.clock import LiveClock

        async with AsyncExitStack() as stack:
            bodies = []
            for name in device.body.outputs:
                bodies.append(plugins.build_engine("bodies", name, device, persona))
                stack.push_async_callback(bodies[-1].close)
            await rehearse(
                entry,
                choreography,
                device.body,
                bodies,
                LiveClock(),
                intensity=intensity,
                seconds=seconds,
                seed=seed,
            )

    if as_json:
        _run(in_no_time())
        return
    shown = ", ".join(entry.shown) or "nothing: this device has none of its channels"
    click.echo(f"{cue} on {', '.join(device.body.outputs)}: {shown} (--seed {seed})", err=True)
    _run(on_its_outputs())


def _print_frame(t: float, frame: BodyFrame) -> None:
    positions = {name: round(value, 4) for name, value in frame.positions.items()}
    click.echo(json.dumps({"t": round(t, 4), "lights": frame.lights, "positions": positions}))


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except* (CompanionError, BrokenPipeError) as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        failure = first
    else:
        return
    raise failure


body.add_command(view)
