"""ALSA's library writes its complaints past Python: once the sound card is used they belong to the log."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

COMPLAIN = """
import ctypes, logging, sys
from companion.errors import DeviceError
from companion.sound.card import SoundCard
logging.basicConfig(level=sys.argv[1], stream=sys.stdout)
card = SoundCard()
card.find_problem()
pcm = ctypes.c_void_p()
assert ctypes.CDLL("libasound.so.2").snd_pcm_open(ctypes.byref(pcm), b"no such device", 0, 0) < 0
"""


def has_alsa() -> bool:
    try:
        ctypes.CDLL("libasound.so.2")
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_alsa(), reason="ALSA's library is not installed (apt install libasound2)")
@pytest.mark.parametrize(("level", "told"), [("DEBUG", True), ("INFO", False)])
def test_they_are_debugging_lines_of_the_log(level: str, told: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPLAIN, level], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("ALSA: snd_pcm_open_noupdate: Unknown PCM" in done.stdout) is told
