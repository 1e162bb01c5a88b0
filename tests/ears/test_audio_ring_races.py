"""The audio thread may lay a block down at any instant, also in the middle of the loop's looking for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from companion.ears.microphone import AudioRing, Block

pytestmark = pytest.mark.looptime


class InterruptedLoop:
    """The running loop, but something happens the first time that one of its methods is called, as if in a thread."""

    def __init__(self, method: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._method = method
        self.happens: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return getattr(self._loop, name)


@pytest.mark.parametrize("rhythm_s", [0.0, 0.032])
@pytest.mark.parametrize("instant", ["time", "create_future", "call_later"])
async def test_a_block_is_found_at_whatever_instant_it_comes(instant: str, rhythm_s: float) -> None:
    loop = InterruptedLoop(instant)
    audio_ring = AudioRing(loop, 64, rhythm_s)  # type: ignore[arg-type]  # it answers as a loop does
    began = loop.time()
    loop.happens = lambda: audio_ring.put(b"zz", 1)
    assert await audio_ring.get(2.0) == Block(b"zz", 0, 1)
    assert loop.time() - began < 0.05


@pytest.mark.parametrize("rhythm_s", [0.0, 0.032])
@pytest.mark.parametrize("instant", ["time", "create_future", "call_later"])
async def test_the_end_is_noticed_at_whatever_instant_it_comes(instant: str, rhythm_s: float) -> None:
    loop = InterruptedLoop(instant)
    audio_ring = AudioRing(loop, 64, rhythm_s)  # type: ignore[arg-type]
    began = loop.time()
    loop.happens = audio_ring.end
    assert await audio_ring.get(2.0) is None
    assert loop.time() - began < 0.05
