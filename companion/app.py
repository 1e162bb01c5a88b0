"""What the commands run: a device with its sound card, with files in its place, or its voice alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from companion.assembly import Sound, assembled, build_synthesizer
from companion.config import Device, load_device, split_overrides
from companion.doctor.calibration_file import read_calibration
from companion.errors import DeviceError
from companion.events import State
from companion.persona import Persona, load_persona
from companion.ports import Speaker
from companion.settings.file import parse_overrides
from companion.state_folder import state_folder
from companion.voice.sentences import Sentences
from companion.voice.stage import Stage


def load(device_file: Path, settings: Sequence[str] = ()) -> tuple[Device, Persona]:
    """Read a device file and its persona, with `KEY=VALUE` settings on top. Raises `ConfigError`."""
    of_device, of_persona = split_overrides(parse_overrides(settings), Persona)
    device = load_device(device_file, {**_calibration(), **of_device})
    return device, load_persona(device.persona, of_persona)


def _calibration() -> dict[str, float]:
    """What `companion doctor --calibrate` found on this unit."""
    try:
        return read_calibration(state_folder())
    except RuntimeError:
        # A user without a home calibrated nothing.
        return {}


async def run_live(device: Device, persona: Persona, events: Path | None, settings: Sequence[str] = ()) -> None:
    """Talk with the sound card until SIGTERM or SIGINT. `settings` as for `load`; later personas get them too."""
    from companion.service.daemon import run_until_stopped

    _, of_persona = split_overrides(parse_overrides(settings), Persona)
    await run_until_stopped(device, persona, events, of_persona)


async def converse_with_files(
    device: Device, persona: Persona, heard: Path, said: Path, events: Path | None, *, realtime: bool = False
) -> None:
    """Hold the conversation in the WAV `heard`; the loudspeaker's sound goes to the WAV `said`."""
    from companion.sound.file import FileSoundCard, same_file

    if events is not None and (same_file(events, heard) or same_file(events, said)):
        raise DeviceError(f"{events}: the events would overwrite the sound; name another file")
    synthesizer = build_synthesizer(device, persona)
    card = FileSoundCard(
        heard,
        said,
        synthesizer.rate,
        realtime,
        hold=lambda: conversation.at_work,
        listening=lambda: conversation.state is State.LISTENING,
    )
    sound = Sound(card.microphone, card.speaker, card.clock, lambda _: card.changed(), live=False, watched=realtime)
    async with assembled(device, persona, sound, synthesizer, events) as unit:
        conversation = unit.conversation
        await conversation.run()


async def say_text(device: Device, persona: Persona, text: str, out: Path | None) -> None:
    """Say `text` as the character would, to the loudspeaker or into the WAV `out`."""
    synthesizer = build_synthesizer(device, persona)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(synthesizer.close)
        speaker: Speaker
        if out is None:
            from companion.sound.card import SoundCard
            from companion.voice.speaker import build

            speaker = build(device, SoundCard(), synthesizer.rate)
        else:
            from companion.sound.file_speaker import WavSpeaker

            speaker = WavSpeaker(out, synthesizer.rate)
        stack.push_async_callback(speaker.close)
        stage, sentences = Stage(persona.name), Sentences()
        for piece in [*stage.feed(text), *stage.close(), None]:
            for sentence in sentences.close() if piece is None else sentences.feed(piece):
                await speaker.write((await synthesizer.synthesize(sentence.text)).pcm)
        await speaker.drain()
