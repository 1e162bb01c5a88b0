"""The reading of a sound level meter becomes a limit that holds over what leaves the loudspeaker."""

from __future__ import annotations

from pathlib import Path

import pytest

from companion.config.device import load_device
from companion.config.unit import read_calibration, write_calibration
from companion.doctor.loudness import TONE_DB, keep_loudness, tone
from companion.errors import ConfigError, DeviceError
from companion.sound.loudness import loudest_level
from companion.voice.speaker import most_level
from tests.support.paths import CONFIGS

DEVICE = CONFIGS / "devices" / "desk.toml"


def test_the_tone_is_as_loud_as_it_says() -> None:
    assert loudest_level(tone(22_050), 22_050) == pytest.approx(TONE_DB, abs=0.1)


def test_a_reading_is_kept_beside_the_gain_and_the_gain_beside_it(tmp_path: Path) -> None:
    write_calibration(tmp_path, 2.5)
    keep_loudness(tmp_path, 76.0)
    write_calibration(tmp_path, 3.0)
    found = read_calibration(tmp_path)
    assert found == {"ears.microphone.gain": 3.0, "voice.speaker.loudness_db": 96.0}
    device = load_device(DEVICE, found | {"policy": "child"})
    # 75 dB(A) is 21 dB below what full scale makes there.
    assert most_level(device, "adult") == pytest.approx(-21)


def test_without_a_reading_or_a_limit_nothing_is_held() -> None:
    assert most_level(load_device(DEVICE, {"policy": "child"}), "child") is None
    assert most_level(load_device(DEVICE, {"policy": "adult", "voice.speaker.loudness_db": 96.0}), "child") is None


@pytest.mark.parametrize("reading", [-3.0, 5.0, 200.0])
def test_what_is_no_reading_is_refused(tmp_path: Path, reading: float) -> None:
    with pytest.raises(DeviceError, match="is no reading"):
        keep_loudness(tmp_path, reading)
    assert read_calibration(tmp_path) == {}


@pytest.mark.parametrize("text", ["[voice.speaker]\nloudness_db = 9", "[voice.speaker]\nvolume = 1", "[ears]\nx = 1"])
def test_a_calibration_that_nobody_wrote_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "calibration.toml").write_text(text)
    with pytest.raises(ConfigError):
        read_calibration(tmp_path)
