"""What tests of the voices share: settings, a small Piper voice, and measures of sound."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from companion.config.device import Device
from companion.config.persona import Persona
from tests.support.paths import DATA

PIPER_VOICE = DATA / "piper-tiny" / "en_XX-tiny-low.onnx"
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def device(model: Path | None = None, timeout_s: float = 8.0) -> Device:
    """A device with this voice model."""
    return Device.model_validate({"persona": "x", "voice": {"model": model, "timeout_s": timeout_s}})


def persona(**speech: object) -> Persona:
    """A persona with these settings of `[speech]`."""
    lines = {"offline": ["x"], "failed": ["x"]}
    return Persona.model_validate({"name": "x", "profile": {"details": "x"}, "lines": lines, "speech": speech})


def seconds(pcm: bytes, rate: int) -> float:
    """Length of a sound at its rate."""
    return len(pcm) / 2 / rate


def loudness(pcm: bytes) -> float:
    """Mean level of the samples that are not silence."""
    samples = [one for one in struct.unpack(f"<{len(pcm) // 2}h", pcm) if abs(one) > 100]
    return sum(abs(one) for one in samples) / len(samples)
