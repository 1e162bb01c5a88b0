"""Stands in where no transcriber can be used, so that the unit starts and can say that it cannot hear."""

from __future__ import annotations

from companion.errors import SpeechError
from companion.events import Transcript


class NoTranscriber:
    """Understands nothing. Satisfies `companion.ports.Transcriber`; every call that would need one raises."""

    name = "none"

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def start(self) -> None:
        """Raises `SpeechError`."""
        raise SpeechError(self._reason)

    async def feed(self, pcm: bytes) -> str:  # noqa: ARG002 - the port's
        """Raises `SpeechError`."""
        raise SpeechError(self._reason)

    async def finish(self) -> Transcript:
        """Raises `SpeechError`."""
        raise SpeechError(self._reason)

    async def cancel(self) -> None:
        """There is nothing to drop."""

    async def close(self) -> None:
        """There is nothing to end."""
