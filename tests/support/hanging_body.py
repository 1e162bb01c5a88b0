"""A runtime with a body on mock pins that hangs on demand: python -m tests.support.hanging_body SOCKET HOW

It turns its wheels and holds its head. After a line on standard input it hangs for `HANGS_S` in the way of `HOW` and
prints when it began and ended, by `time.monotonic`; after the next line it closes its body and ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from companion.events import BodyFrame
from tests.support.mock_pins import OwnedPins, built, settings

HANGS_S = 3.0


def hang(how: str) -> None:
    if how == "blocking call":
        time.sleep(HANGS_S)
    elif how == "native call that keeps the lock":
        # Unlike a CDLL, a PyDLL does not release the global lock: no other thread runs meanwhile.
        ctypes.PyDLL(None).usleep(round(HANGS_S * 1e6))
    elif how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)


async def live(path: str, how: str) -> None:
    body = built(settings(), OwnedPins(Path(path)))
    await body.show(BodyFrame({"glow": (255, 255, 255)}, {"head": 45.0, "wheels": 1.0}))
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    asyncio.get_running_loop().add_reader(0, lambda: lines.put_nowait(os.read(0, 100)))
    await lines.get()
    print(time.monotonic(), flush=True)
    hang(how)
    print(time.monotonic(), flush=True)
    await lines.get()
    await body.close()


if __name__ == "__main__":
    asyncio.run(live(*sys.argv[1:]))
