"""Engines of known speed, so that what is measured is the runtime: a transcriber and a character service.

They are doubles for measuring only; the device file names the transcriber as `bench.scripted:transcriber`.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Sequence

from companion.config.device import Device
from companion.config.persona import Persona
from companion.events import Transcript

TRANSCRIBE_S = 0.1
FIRST_TOKEN_S = 0.2
TOKEN_S = 0.025
TOKENS = re.findall(
    r" ?\w+|\.",
    "I am a bear and you know it. My friend likes to dance in the garden. We sing a song and eat some honey.",
)
"""The first sentence has eight tokens and its full stop; the token after it shows that it is over."""


class ScriptedTranscriber:
    """Takes `TRANSCRIBE_S` for the last word; the sound does not matter."""

    name = "scripted"

    async def start(self) -> None:
        pass

    async def feed(self, pcm: bytes) -> str:  # noqa: ARG002 - the port's signature
        return ""

    async def finish(self) -> Transcript:
        await asyncio.sleep(TRANSCRIBE_S)
        return Transcript("tell me something")

    async def cancel(self) -> None:
        pass

    async def close(self) -> None:
        pass


def transcriber(device: Device, persona: Persona) -> ScriptedTranscriber:  # noqa: ARG001 - the factories' signature
    """The factory that the device file names."""
    return ScriptedTranscriber()


class ScriptedService:
    """An OpenAI-compatible server of known speed on loopback, in a thread of its own."""

    def __init__(self, tokens: Sequence[str] = tuple(TOKENS)) -> None:
        self._tokens = tokens
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> str:
        """Returns the base URL."""
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
                await reader.readexactly(length)
                if not head.startswith("post"):
                    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"data":[]}')
                    continue
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                await asyncio.sleep(FIRST_TOKEN_S)
                for token in self._tokens:
                    self._chunk(writer, {"choices": [{"index": 0, "delta": {"content": token}, "finish_reason": None}]})
                    await writer.drain()
                    await asyncio.sleep(TOKEN_S)
                self._chunk(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    @staticmethod
    def _chunk(writer: asyncio.StreamWriter, body: dict[str, object]) -> None:
        data = b"data: " + json.dumps(body).encode() + b"\n\n"
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
