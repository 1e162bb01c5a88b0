"""The context provider `command`: what a program prints. No shell reads the arguments; errors it writes go nowhere.

The output is read on the event loop while the program runs, and no more than `LONGEST_BYTES` of it. After `COMMAND_S`,
or when nobody waits any more, it is killed with all that it started.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass

COMMAND_S = 0.5
LONGEST_BYTES = 16_384


@dataclass(frozen=True)
class Command:
    """What a program prints."""

    arguments: tuple[str, ...]
    name: str = "command"

    async def told(self) -> str:
        """Its output. Raises `TimeoutError` or `ValueError` where it is slow or fails."""
        # A pipe of our own: asyncio's would have the end of a killed program wait for all that it left unread.
        reading, writing = os.pipe()
        try:
            try:
                program = await asyncio.create_subprocess_exec(
                    *self.arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=writing,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            finally:
                os.close(writing)
            try:
                async with asyncio.timeout(COMMAND_S):
                    output = await _read_pipe(reading)
                    status = 0 if len(output) >= LONGEST_BYTES else await program.wait()
            finally:
                if program.returncode is None:
                    # With all that it started.
                    with suppress(ProcessLookupError):
                        os.killpg(program.pid, signal.SIGKILL)
                    await program.wait()
        finally:
            os.close(reading)
        if status != 0:
            raise ValueError(f"{self.arguments[0]} ended with status {status}")
        return output.decode("utf-8", "replace").strip()


async def _read_pipe(descriptor: int) -> bytes:
    """What comes out of it, at most `LONGEST_BYTES`."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    output = b""
    loop.add_reader(descriptor, came.set)
    try:
        while len(output) < LONGEST_BYTES:
            await came.wait()
            came.clear()
            piece = os.read(descriptor, LONGEST_BYTES - len(output))
            if not piece:
                break
            output += piece
    finally:
        loop.remove_reader(descriptor)
    return output
