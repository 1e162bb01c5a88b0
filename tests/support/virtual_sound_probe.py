"""The program that `test_virtual_sound.py` runs on a virtual sound card: each command uses the product's own microphone
and loudspeaker, and prints what it saw as JSON lines. Times are of the monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

from companion.ears.microphone import CardMicrophone
from companion.errors import DeviceError
from companion.sound.card import SoundCard
from companion.voice.speaker import CardSpeaker

RATE = 22_050


def say(**what: object) -> None:
    """Print one line of JSON for the test that started this program."""
    print(json.dumps(what), flush=True)


def tone(seconds: float, rate: int = RATE, hertz: float = 441.0) -> bytes:
    """A sine of 16-bit PCM at about a quarter of full scale."""
    phase = 2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate
    return (9000 * np.sin(phase)).astype("<i2").tobytes()


async def capture(seconds: str, out: str) -> None:
    """Write what the microphone hears to a raw file."""
    heard = bytearray()
    microphone = CardMicrophone(SoundCard(), "default", 1.0)
    began = used = end = 0.0
    first = None
    async with aclosing(microphone.frames()) as frames:
        async for frame in frames:
            if first is None:
                first, began, used = frame.end, time.monotonic(), time.process_time()
                say(listening=True)
            heard += frame.pcm
            end = frame.end
            if time.monotonic() - began >= float(seconds):
                break
    elapsed = time.monotonic() - began
    Path(out).write_bytes(heard)  # noqa: ASYNC240  # nothing else runs any more
    assert first is not None
    cpu = (time.process_time() - used) / elapsed
    say(elapsed=elapsed, samples=end - first, bytes=len(heard), end=end, cpu=cpu)


async def mute(begins_muted: str) -> None:
    """Mute the microphone and unmute it again, a line of input for each change."""
    microphone = CardMicrophone(SoundCard(), "default", 1.0)
    microphone.set_muted(begins_muted == "muted")
    asked = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    muted, said_of = begins_muted == "muted", ""
    async with aclosing(microphone.frames()) as frames:
        async for frame in frames:
            if (now := "silent" if not frame.pcm else "sound") != said_of and (now == "silent") is muted:
                said_of = now
                say(heard=now, end=frame.end, link=microphone.link)
            if asked.done():
                if asked.result() == "end\n":
                    break
                muted = not muted
                microphone.set_muted(muted)
                asked = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def play(pieces: str, rate: str = "22050", latency: str = "0.04") -> None:
    """Say a tone in pieces of unequal length, and then drain."""
    speaker = CardSpeaker(SoundCard(), "default", int(rate), float(latency))
    await speaker.prepare()
    await asyncio.sleep(0.3)
    whole = tone(float(pieces), int(rate))
    used, began = time.process_time(), time.monotonic()
    say(began=began)
    positions = []
    for start in range(0, len(whole), 7000):
        await speaker.write(whole[start : start + 7000])
        positions.append(speaker.position())
    await speaker.drain()
    say(drained=time.monotonic(), position=speaker.position(), samples=len(whole) // 2, positions=positions,
        cpu=(time.process_time() - used) / (time.monotonic() - began))  # fmt: skip


async def flush(times: str) -> None:
    """Break a tone off again and again."""
    speaker = CardSpeaker(SoundCard(), "default", RATE)
    await speaker.prepare()
    await asyncio.sleep(0.3)
    for _ in range(int(times)):
        say(wrote=time.monotonic(), start=await speaker.write(tone(2.0)))
        await asyncio.sleep(0.3)
        say(flushed=time.monotonic(), position=speaker.flush())
        await speaker.drain()
        await asyncio.sleep(0.2)


async def vanish() -> None:
    """Stream both ways until the card goes away, and come back when told to."""
    card = SoundCard()
    microphone = CardMicrophone(card, "default", 1.0)
    speaker = CardSpeaker(card, "default", RATE)
    failed: list[str] = []

    async def listen() -> None:
        async with aclosing(microphone.frames()) as frames:
            async for frame in frames:
                say(heard=frame.end)
                if failed:
                    return

    async def talk() -> None:
        for _ in range(1000 if not failed else 1):
            await speaker.write(tone(0.2))
        await speaker.drain()
        say(said=True)

    async def until_gone(work: Callable[[], Awaitable[None]], who: str) -> None:
        try:
            await work()
        except DeviceError as error:
            say(gone=who, at=time.monotonic(), sentence=str(error))

    await asyncio.gather(until_gone(listen, "microphone"), until_gone(talk, "speaker"))
    failed.append("both")
    for work, who in ((speaker.prepare, "speaker"), (listen, "microphone")):
        await until_gone(work, f"still {who}")
    await asyncio.to_thread(sys.stdin.readline)
    await speaker.prepare()
    await asyncio.gather(listen(), talk())


async def memory() -> None:
    """What the sound card adds to the process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    problem = SoundCard().find_problem()
    say(problem=problem, ms=(time.monotonic() - began) * 1000,
        rss_mb=(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)  # fmt: skip


COMMANDS: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "capture": capture,
    "play": play,
    "mute": mute,
    "flush": flush,
    "vanish": vanish,
    "memory": memory,
}

if __name__ == "__main__":
    asyncio.run(COMMANDS[sys.argv[1]](*sys.argv[2:]))
