"""`companion wakeword`: wake words of one's own. Other packages add commands, as the maker's tools (`studio`) do."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from companion.cli.group import HelpfulGroup
from companion.cli.options import device_options, run_to_end
from companion.errors import CompanionError, DeviceError, EngineUnavailable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from companion.config.device import Device
    from companion.config.persona import Persona
    from companion.config.word_file import WordFile
    from companion.sound.card import SoundCard

# Before a command imports numpy: its threads wait for each other longer than such small products take.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_MAKERS_COMMANDS = ("train", "evaluate")
_NO_STUDIO = (
    "`companion wakeword {name}` belongs to the maker's tools (the package companion-studio), which are not installed "
    "here. They run on the computer where units are prepared: in a checkout of the project, `make setup` installs them."
)


_STOP_FIRST = (
    "The companion is running and holds the microphone: stop it (sudo systemctl stop companion), and start it again "
    "afterwards (sudo systemctl start companion); then it listens with what it has learnt."
)


def _commands_of_packages() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="companion.wakeword_commands")}


class WakewordCommands(HelpfulGroup):
    """Our own commands, and those of other installed packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return sorted({*super().list_commands(ctx), *_commands_of_packages()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`. Raises `click.UsageError` for a maker's command where those are not installed."""
        own = super().get_command(ctx, cmd_name)
        added = _commands_of_packages().get(cmd_name)
        if own is None and added is None and cmd_name in _MAKERS_COMMANDS:
            raise click.UsageError(_NO_STUDIO.format(name=cmd_name), ctx)
        return own if own is not None or added is None else added.load()


class Duration(click.ParamType[float]):
    """`10m`, `90s`: seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See `click.ParamType`."""
        found = re.fullmatch(r"([0-9]{1,4})(s|m)", str(value).strip())
        seconds = 0.0 if found is None else float(found[1]) * (60 if found[2] == "m" else 1)
        if not 10 <= seconds <= 1800:
            self.fail(f"{value} is no time between 10s and 30m; write for instance 10m", param, ctx)
        return seconds


@click.group(cls=WakewordCommands)
def wakeword() -> None:
    """Make a wake word of your own, find out how good it is, and teach it your voice."""


@wakeword.command(epilog="Example: companion wakeword enroll /etc/companion/hey_momo.ww")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--times", type=click.IntRange(5, 20), default=10, show_default=True, help="How often you are asked.")
@click.option(
    "--room", type=Duration(), metavar="TIME", help="Then listen to the room (its television) for so long, e.g. 10m."
)
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the recordings there; else they are dropped."
)
@click.option("--forget", is_flag=True, help="Forget what was learnt: the file becomes again what it was before.")
@click.option("-y", "--yes", is_flag=True, help="Begin without asking.")
@device_options
def enroll(
    file: Path,
    times: int,
    room: float | None,
    keep: Path | None,
    forget: bool,
    yes: bool,
    device_file: Path,
    settings: tuple[str, ...],
) -> None:
    """Teach the wake word in FILE your voice: say it when the unit asks you, ten times.

    The unit's own microphone listens, in its own place. The sound is dropped as soon as it has been learnt; numbers are
    kept that only tell how the word sounds: in the unit's state folder where FILE is a wake word of this unit, else in
    FILE. Another enrolment adds to what is there. A running companion has to be stopped first, and listens with what
    was learnt when it is started; it learns by itself when somebody says "learn my voice" to it.
    """
    from companion.config.unit import load_unit
    from companion.config.word_file import read
    from companion.ears.wake_custom import learnt
    from companion.ears.wake_custom.enrolment import check

    device, persona = load_unit(device_file, settings)
    of_unit = any(one.file is not None and one.file.resolve() == file.resolve() for one in device.ears.wake.listed)
    learnt.must_be_writable(file, of_unit=of_unit)
    if forget:
        (learnt.forget_learnt if of_unit else learnt.put_back)(file)
        click.echo(f"{file}: is again as it was made.")
        return
    word = learnt.read_learnt(file) if of_unit else read(file)
    check(word, str(file))
    if _daemon_runs():
        raise DeviceError(_STOP_FIRST)
    if not yes:
        also = f", and then listens to the room for {_spoken_time(room)}" if room else ""
        what = f"kept in {keep}" if keep else "not kept"
        click.confirm(
            f'It asks you {times} times to say "{word.phrase}"{also}. The sound is {what}. Begin?',
            default=True,
            abort=True,
            err=True,
        )
    write = learnt.keep_learnt if of_unit else learnt.replace
    run_to_end(_enroll(word, lambda new: write(file, new), device, persona, times, room, keep))


async def _enroll(
    word: WordFile,
    write: Callable[[WordFile], Path],
    device: Device,
    persona: Persona,
    times: int,
    room: float | None,
    keep: Path | None,
) -> None:
    from companion import plugins
    from companion.cli.wakeword_recordings import keep_recordings
    from companion.ears import microphone
    from companion.ears.wake_custom.embeddings import Networks
    from companion.ears.wake_custom.enrolment import enrolled
    from companion.languages.language import language
    from companion.languages.understood import DEFAULT
    from companion.sound.card import SoundCard
    from companion.voice_enrolment import Ears, ask_for_recordings

    networks = Networks()
    lines = language(persona.language).enrolment or language(DEFAULT).enrolment
    assert lines is not None
    ears = Ears(
        plugins.build_engine("speech_detectors", device.ears.endpoint.engine, device, persona), device.ears.endpoint
    )
    card = SoundCard()
    mic = microphone.build(device, card)
    async with (
        _voice(device, persona, card) as say,
        _light(device, persona) as listening,
        aclosing(mic.frames()) as frames,
    ):
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(ears.listen(frames))
            try:
                recordings = await ask_for_recordings(
                    *(word, times),
                    networks=networks,
                    lines=lines,
                    say=say,
                    ears=ears,
                    listening=listening,
                    tell=click.echo,
                )
            except CompanionError:
                await say(lines.failed)
                raise
            pieces = []
            if room is not None:
                await say(lines.room.format(minutes=_minutes(room)))
                click.echo(f"listening to the room for {_spoken_time(room)}")
                listening(True)
                pieces = [await ears.room(room)]
                listening(False)
                await say(lines.room_over)
            hearing.cancel()
        await say(lines.learning)
        learnt = await asyncio.to_thread(lambda: enrolled(word, recordings, pieces, networks=networks))
        if keep is not None:
            keep_recordings(keep, word.phrase, recordings + pieces)
        try:
            written = write(learnt)
        except DeviceError:
            await say(lines.failed)
            raise
        await say(lines.done)
    click.echo(
        f"{written}: has learnt from {learnt.card.enrolled} recordings. It counts from the companion's next start."
    )


@asynccontextmanager
async def _voice(device: Device, persona: Persona, card: SoundCard) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Says a text in the persona's voice, and returns when it has been heard."""
    from companion.languages.understood import understood
    from companion.plugins import build_synthesizer
    from companion.voice import speaker
    from companion.voice.sentences import Sentences

    voice = build_synthesizer(device, persona, or_another=True)
    mouth = speaker.build(device, card, voice.rate)

    async def say(text: str) -> None:
        sentences = Sentences(languages=understood(persona.language))
        for sentence in [*sentences.feed(text), *sentences.close()]:
            await mouth.write((await voice.synthesize(sentence.text)).pcm)
        await mouth.drain()

    try:
        yield say
    finally:
        await mouth.close()
        await voice.close()


@asynccontextmanager
async def _light(device: Device, persona: Persona) -> AsyncIterator[Callable[[bool], None]]:
    """Shows on the unit's body whether it listens. Where there is no body, nothing."""
    from companion import plugins
    from companion.animator import Animator
    from companion.body.choreography import load_choreography
    from companion.body.performer import Performer
    from companion.event_log import EventLog
    from companion.events import State
    from companion.sound.card import MonotonicClock

    bodies = []
    for name in device.body.outputs:
        try:
            bodies.append(plugins.build_engine("bodies", name, device, persona))
        except EngineUnavailable as error:
            click.echo(f"no light: {error}", err=True)
    performer = Performer(load_choreography(device.body.choreography), device.body.channels, idle_life=False)
    clock = MonotonicClock()
    animator = Animator(performer, bodies, clock, EventLog(clock))

    def listening(is_listening: bool) -> None:
        animator.show_state(State.LISTENING if is_listening else State.IDLE)

    async with asyncio.TaskGroup() as group:
        showing = group.create_task(animator.run())
        try:
            yield listening
        finally:
            await animator.move_to_neutral()
            showing.cancel()
            for body in bodies:
                await body.close()


def _daemon_runs() -> bool:
    """Whether a companion runs here, and so holds the microphone."""
    from companion.service.control import send_request
    from companion.service.control_protocol import GetStatus

    try:
        send_request(GetStatus(), None)
    except DeviceError as error:
        return not isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError)
    except CompanionError:
        return True
    return True


def _minutes(seconds: float) -> str:
    """As a number that is spoken: `10`, `1`."""
    return str(max(1, round(seconds / 60)))


def _spoken_time(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
