"""Audio time where a sound card keeps it: the card and the loop's clock run side by side."""

from __future__ import annotations

import asyncio
import time


class LiveClock:
    """Seconds since it was made, on the loop's clock."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._start

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
