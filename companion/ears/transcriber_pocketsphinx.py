"""Speech to text with pocketsphinx and the English model inside its wheel: the embedded default (MIT and BSD).

It works in a child process (see `companion.ears.pocketsphinx_process` for why, and for the protocol). The child is
started with the first utterance, because it takes about 100 MB, and then kept. If it dies or takes longer than
`timeout_s`, it is ended and `SpeechError` is raised; the next utterance starts a new one. No threads. The engine's
confidence means nothing, so it is always reported as 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
from asyncio.subprocess import PIPE, Process

from companion.child_environment import child_environment
from companion.config.device import Device
from companion.config.persona import Persona
from companion.ears.pocketsphinx_process import (
    CANCEL,
    END,
    FAILED,
    FEED,
    LENGTH,
    START,
    Message,
    decode,
    encode,
    length_of,
)
from companion.errors import EngineUnavailable, SpeechError
from companion.events import Transcript
from companion.languages.language import language

COMMAND = (sys.executable, "-m", "companion.ears.pocketsphinx_process")


class PocketsphinxTranscriber:
    """Satisfies `companion.ports.Transcriber`."""

    name = "pocketsphinx"

    def __init__(self, timeout_s: float, command: tuple[str, ...] = COMMAND) -> None:
        self._timeout_s = timeout_s
        self._command = command
        self._child: Process | None = None
        self._number = 0
        self._length: int | None = None
        """Length of an answer whose length field has been read but not the rest."""

    async def start(self) -> None:
        """Begin an utterance, and start the child process if there is none."""
        if self._child is not None and self._child.returncode is not None:
            await self._end_child()
        if self._child is None:
            try:
                self._child = await asyncio.create_subprocess_exec(
                    *self._command, stdin=PIPE, stdout=PIPE, env=child_environment()
                )
            except OSError as error:
                raise SpeechError(f"the pocketsphinx process cannot be started: {error}") from error
        await self._ask(START)

    async def feed(self, pcm: bytes) -> str:
        """Take sound; return the words so far."""
        return await self._ask(FEED, pcm)

    async def finish(self) -> Transcript:
        """The words of the whole utterance."""
        return Transcript(await self._ask(END))

    async def cancel(self) -> None:
        """Drop the utterance, if there is one."""
        if self._child is None:
            return
        try:
            await self._ask(CANCEL)
        except SpeechError:
            # The child is gone, and the utterance with it, so nothing is left to cancel.
            return

    async def close(self) -> None:
        """End the child."""
        await self._end_child()

    async def _ask(self, kind: bytes, payload: bytes = b"") -> str:
        if self._child is None:
            raise SpeechError("the pocketsphinx process is not running: begin the utterance again")
        self._number = (self._number + 1) % (1 << 32)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._exchange(self._child, Message(self._number, kind, payload))
        except TimeoutError as error:
            await self._end_child()
            raise SpeechError(
                f"pocketsphinx took longer than {self._timeout_s:g} s: "
                "use vosk on this processor, or raise ears.transcriber.timeout_s"
            ) from error
        except (OSError, EOFError, ValueError) as error:
            await self._end_child()
            raise SpeechError("the pocketsphinx process died: it is started again with the next words") from error
        if answer.kind == FAILED:
            raise SpeechError(f"pocketsphinx failed: {answer.payload.decode(errors='replace')}")
        return answer.payload.decode(errors="replace")

    async def _exchange(self, child: Process, request: Message) -> Message:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(encode(request))
        await child.stdin.drain()
        while True:
            # Keep the length, so that a call cancelled between the two reads leaves the stream in step.
            if self._length is None:
                self._length = length_of(await child.stdout.readexactly(LENGTH.size))
            answer = decode(await child.stdout.readexactly(self._length))
            self._length = None
            # An earlier number belongs to a call that was cancelled while it waited.
            if answer.number == request.number:
                return answer

    async def _end_child(self) -> None:
        child, self._child, self._length = self._child, None, None
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def build(device: Device, persona: Persona) -> PocketsphinxTranscriber:
    """The transcriber; its child process waits for the first utterance. Raises `EngineUnavailable`."""
    check(device, persona)
    return PocketsphinxTranscriber(device.ears.transcriber.timeout_s)


def check(device: Device, persona: Persona) -> None:  # noqa: ARG001 - the shape of every check
    """Raise `EngineUnavailable` where pocketsphinx cannot be used."""
    if not language(persona.language).general.voices.embedded_transcriber:
        raise EngineUnavailable(
            f"pocketsphinx hears English only, and the persona speaks '{persona.language}': "
            "set ears.transcriber.model to a Vosk model of that language"
        )
    if importlib.util.find_spec("pocketsphinx") is None:
        raise EngineUnavailable(
            "pocketsphinx is not installed: "
            "install the package pocketsphinx, or set ears.transcriber.model to a Vosk model"
        )
