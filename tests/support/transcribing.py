"""A device, a persona and a call for the tests of transcribers."""

from __future__ import annotations

from typing import Any

from companion.config.device import Device
from companion.config.persona import Persona
from companion.events import Transcript
from companion.ports import Transcriber

PIECE = 2048 * 2


def device(**transcriber: Any) -> Device:
    """A device with these settings of `[ears.transcriber]`."""
    return Device.model_validate({"persona": "bear.toml", "ears": {"transcriber": transcriber}})


def persona(language: str = "en") -> Persona:
    """A persona that speaks this language."""
    lines = {"offline": ["Oh."], "failed": ["Oh."]}
    return Persona.model_validate(
        {"name": "Bear", "language": language, "profile": {"details": "a bear"}, "lines": lines}
    )


async def transcribe(transcriber: Transcriber, pcm: bytes) -> tuple[Transcript, list[str]]:
    """The transcript of a sound that arrives in pieces, and every partial on the way."""
    await transcriber.start()
    partials = [await transcriber.feed(pcm[at : at + PIECE]) for at in range(0, len(pcm), PIECE)]
    return await transcriber.finish(), partials
