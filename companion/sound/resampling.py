"""From one sample rate to another, whole or as the sound streams by (soxr, quality HQ)."""

from __future__ import annotations

import numpy as np
import soxr  # type: ignore[import-untyped]  # ships no types; no other file imports it
from numpy.typing import NDArray


class Resampler:
    """16-bit mono sound from `rate_in` to `rate_out` samples a second.

    It holds about 20 ms back; `finish` gives them out. In all, n samples become n * rate_out / rate_in, rounded.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self._stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype="float32")

    def feed(self, pcm: bytes) -> bytes:
        """Take the next samples; return what can be given out so far (may be empty)."""
        return self._resample(pcm, last=False)

    def finish(self) -> bytes:
        """Return what was held back, and be ready for a new sound."""
        rest = self._resample(b"", last=True)
        self._stream.clear()
        return rest

    def clear(self) -> None:
        """Forget what was held back, and be ready for a new sound."""
        self._stream.clear()

    def _resample(self, pcm: bytes, *, last: bool) -> bytes:
        # Through float32, because soxr adds dither noise to 16-bit output, and silence must stay silent.
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        resampled = self._stream.resample_chunk(samples, last=last)
        rounded: NDArray[np.int16] = np.clip(np.rint(resampled), -32768, 32767).astype("<i2")
        return rounded.tobytes()


def resample(pcm: bytes, rate_in: int, rate_out: int) -> bytes:
    """A whole 16-bit mono sound at another rate."""
    if rate_in == rate_out:
        return pcm
    resampler = Resampler(rate_in, rate_out)
    return resampler.feed(pcm) + resampler.finish()
