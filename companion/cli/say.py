"""`companion say`: speak a text in the persona's voice."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from companion.cli.options import device_options, run_to_end

if TYPE_CHECKING:
    from companion.config.device import Device
    from companion.config.persona import Persona
    from companion.ports import Speaker


@click.command()
@click.argument("text")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a WAV instead of playing it.")
@device_options
def say(text: str, out: Path | None, device_file: Path, settings: tuple[str, ...]) -> None:
    """Say TEXT in the persona's voice. Stage directions are not spoken."""
    from companion.config.unit import load_unit

    device, persona = load_unit(device_file, settings)
    run_to_end(say_text(device, persona, text, out))


async def say_text(device: Device, persona: Persona, text: str, out: Path | None) -> None:
    """Speak `text` as the character would, through the loudspeaker or into the WAV file `out`."""
    from companion.languages.understood import understood
    from companion.plugins import build_synthesizer
    from companion.voice.sentences import Sentences
    from companion.voice.stage.stage import Stage

    synthesizer = build_synthesizer(device, persona)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(synthesizer.close)
        speaker: Speaker
        if out is None:
            from companion.sound.card import SoundCard
            from companion.voice.speaker import build

            speaker = build(device, SoundCard(), synthesizer.rate, audience=persona.audience)
        else:
            from companion.sound.file_speaker import InstantFileSpeaker

            speaker = InstantFileSpeaker(out, synthesizer.rate)
        stack.push_async_callback(speaker.close)
        languages = understood(persona.language)
        stage, sentences = Stage(persona.name, languages), Sentences(languages=languages)
        for piece in [*stage.feed(text), *stage.close(), None]:
            for sentence in sentences.close() if piece is None else sentences.feed(piece):
                await speaker.write((await synthesizer.synthesize(sentence.text)).pcm)
        await speaker.drain()
