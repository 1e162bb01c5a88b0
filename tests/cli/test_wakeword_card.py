"""`companion wakeword enroll` from the command line to the file, on a virtual sound card with somebody who answers."""

from __future__ import annotations

import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest

from companion.config.word_file import encoded, read
from companion.events import EAR_RATE
from tests.support.paths import ROOT
from tests.support.small_word import PHRASE, said, small_word
from tests.support.virtual_sound import VirtualSound, why_not
from tests.support.voices import needs_espeak

pytestmark = [
    needs_espeak,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.time_limit(120),
]


def test_somebody_teaches_a_unit_their_voice(tmp_path: Path) -> None:
    file = tmp_path / "hey_marvin.ww"
    file.write_bytes(encoded(small_word()))
    once = tmp_path / "once.wav"
    with wave.open(str(once), "wb") as spoken:
        spoken.setparams((1, 2, EAR_RATE, 0, "NONE", ""))
        spoken.writeframes(said(PHRASE).tobytes() + bytes(5 * EAR_RATE))
    sound = VirtualSound(tmp_path)
    sound.start()
    try:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "companion", "wakeword", "enroll", str(file), "--times", "5", "--yes"),
                *("--device", str(ROOT / "configs/devices/desk.toml"), "--set", "voice.engine=espeak"),
                *("--keep", str(tmp_path / "kept"), "--room", "10s"),
            ],
            cwd=ROOT,
            env=sound.environment | {"XDG_STATE_HOME": str(tmp_path / "state")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # Somebody who just says it every few seconds, whatever is asked.
        until = time.monotonic() + 110
        while process.poll() is None and time.monotonic() < until:
            sound.player(once).wait(20)
        out = process.communicate(timeout=10)[0]
    finally:
        sound.stop()
    assert process.returncode == 0, out
    assert "5 of 5" in out
    assert read(file).card.enrolled == 5
