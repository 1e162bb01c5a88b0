"""The sound that stands for "I could not say that": two short falling tones. Pure."""

from __future__ import annotations

import math
import struct

_TONES_HZ = (660.0, 440.0)
_TONE_S = 0.14
_PEAK = 0.2
_FADE_S = 0.02


def earcon(rate: int) -> bytes:
    """The earcon as 16-bit mono PCM at `rate` samples a second."""
    length = round(_TONE_S * rate)
    fade = _FADE_S * rate
    samples = (
        32767 * _PEAK * min(1.0, i / fade, (length - i) / fade) * math.sin(2 * math.pi * tone * i / rate)
        for tone in _TONES_HZ
        for i in range(length)
    )
    return struct.pack(f"<{2 * length}h", *(round(sample) for sample in samples))
