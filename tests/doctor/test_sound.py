"""The station test of sound: levels, chirps, gains; and all of it on a real virtual sound card."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion import plugins
from companion.config.device import Device, load_device
from companion.config.persona import load_persona
from companion.config.unit import CALIBRATION_FILE, read_calibration, write_calibration
from companion.doctor import checks_sound
from companion.doctor.calibration import calibration_result
from companion.doctor.recording import Recording
from companion.doctor.report import CheckResult
from companion.doctor.sound_measures import Echo, Samples, chirp, find_chirp, measure_level, samples_of, speech_gain
from companion.ears import kept_echo
from companion.errors import ConfigError, DeviceError
from companion.events import AudioFrame
from tests.support.paths import CONFIGS
from tests.support.synthetic_user import room, say
from tests.support.virtual_sound import RATE, VirtualSound, why_not

EARS = 16_000
needs_card = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


def noise(seconds: float, level: float, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).normal(0, level, round(seconds * EARS)).round().clip(-32768, 32767).astype("<i2")


def heard_in(background: Samples, sound: Samples, at: int, share: float) -> Samples:
    mixed = background.astype(np.float64)
    mixed[at : at + len(sound)] += share * sound
    return mixed.round().clip(-32768, 32767).astype("<i2")


@given(at=st.integers(0, 12_000), level_db=st.floats(-50, 0), seed=st.integers(0, 10**6))
def test_a_chirp_is_found_where_it_is_and_as_loud_as_it_is(at: int, level_db: float, seed: int) -> None:
    background = noise(1.3, 30, seed)
    found = find_chirp(heard_in(background, chirp(), at, 10 ** (level_db / 20)), chirp(), background)
    assert found is not None
    assert found.at == pytest.approx(at, abs=1)
    assert found.level_db == pytest.approx(measure_level(chirp()).rms_db + level_db, abs=1.0)


@given(st.integers(0, 10**6), st.floats(0, 12_000), st.booleans())
def test_noise_and_hum_are_no_chirp(seed: int, level: float, hums: bool) -> None:
    background = noise(1.3, level, seed)
    if hums:
        hum = (8000 * np.sin(2 * np.pi * 100 * np.arange(len(background)) / EARS)).astype("<i2")
        background = heard_in(background, hum, 0, 1.0)
    assert find_chirp(background, chirp(), background) is None


def test_a_chirp_below_the_noise_is_still_found_and_its_reverberation_is_not_taken_for_it() -> None:
    background = noise(1.3, 1500)
    quiet = find_chirp(heard_in(background, chirp(), 4000, 0.1), chirp(), background)
    assert quiet is not None
    assert quiet.at == pytest.approx(4000, abs=2)
    direct = heard_in(noise(1.3, 30), chirp(), 4000, 0.5)
    for delay, share in ((700, 0.25), (1500, 0.2), (2300, 0.1)):
        direct = heard_in(direct, chirp(), 4000 + delay, share)
    found = find_chirp(direct, chirp(), noise(0.4, 30))
    assert found is not None
    assert found.at == 4000


def test_levels_are_those_of_the_sound() -> None:
    tone = (16384 * np.sin(2 * np.pi * 440 * np.arange(EARS) / EARS)).astype("<i2")
    found = measure_level(tone)
    assert found.peak_db == pytest.approx(-6.0, abs=0.1)
    assert found.rms_db == pytest.approx(-9.0, abs=0.1)
    assert (found.clipped, found.constant) == (0.0, False)
    assert measure_level(np.full(10, 5, "<i2")).constant
    assert measure_level(np.zeros(0, "<i2")).constant
    assert measure_level(np.array([-32768, 32767, 0, 0], "<i2")).clipped == 0.5


def recorded(sound: Samples, gap: int = 0) -> Recording:
    recording = Recording()
    half = len(sound) // 2
    recording.add(AudioFrame(sound[:half].tobytes(), 1000), 5.0)
    recording.add(AudioFrame(sound[half:].tobytes(), 1000 + half + gap), 5.0 + half / EARS)
    return recording


def microphone_result_of(sound: Samples, gap: int = 0) -> CheckResult:
    return checks_sound.microphone_result(recorded(sound, gap), 1.0)


@pytest.mark.parametrize(
    ("sound", "gap", "words"),
    [
        (np.zeros(2 * EARS, "<i2"), 0, "delivers silence"),
        (np.full(2 * EARS, -3, "<i2"), 0, "delivers silence"),
        (noise(2.0, 30), 4000, "were lost"),
        (noise(2.0, 20_000), 0, "clipped"),
        (noise(2.0, 6000), 0, "loud for a quiet room"),
        (noise(2.0, 30) + np.int16(9000), 0, "constant voltage"),
    ],
)
def test_a_bad_microphone_fails(sound: Samples, gap: int, words: str) -> None:
    found = microphone_result_of(sound, gap)
    assert found.outcome == "fail"
    assert words in found.text
    assert found.advice


def test_a_good_microphone_passes() -> None:
    found = microphone_result_of(noise(2.0, 30))
    assert found.outcome == "pass"
    assert found.measured["level_dbfs"] == pytest.approx(-60.8, abs=0.2)


def test_a_recording_keeps_its_time_and_its_gaps() -> None:
    recording = recorded(noise(1.0, 100), gap=800)
    assert recording.lost == 800
    assert recording.seconds == pytest.approx(1.05)
    # The second frame was the more punctual one: 8,800 samples of it and the gap by 5.5 s.
    assert recording.position(5.5) == len(recording.sound())
    fresh = recording.take_new()
    assert (fresh.start, len(fresh.pcm)) == (0, 2 * len(recording.sound()))
    assert recording.take_new().pcm == b""


WELL = Echo(1600, -30.0, -60.0)


@pytest.mark.parametrize(
    ("echoes", "clipped", "outcome", "words"),
    [
        ([WELL, WELL], 0.0, "pass", "heard at -30 dBFS after 100 ms, echo -15 dB"),
        ([None, None], 0.0, "fail", "does not hear the loudspeaker"),
        ([WELL, None], 0.0, "fail", "only one of two"),
        ([WELL, Echo(2400, -30.0, -60.0)], 0.0, "fail", "delay changed by 50 ms"),
        ([WELL, WELL], 0.01, "fail", "clipped"),
        ([Echo(1600, -30.0, -33.0)] * 2, 0.0, "fail", "hardly above the noise"),
        ([Echo(8000, -30.0, -60.0)] * 2, 0.0, "fail", "too late"),
    ],
)
def test_the_chirps_decide_the_loopback_check(
    echoes: list[Echo | None], clipped: float, outcome: str, words: str
) -> None:
    found = checks_sound.loopback_result(echoes, -15.0, clipped)
    assert found.outcome == outcome
    assert words in found.text
    assert bool(found.advice) == (outcome == "fail")


@given(st.lists(st.integers(1, 32767), min_size=20, max_size=200))
def test_the_gain_puts_speech_where_it_should_peak(peaks: list[int]) -> None:
    gain = speech_gain(np.array(peaks, "<i2"))
    assert gain is not None
    assert float(np.percentile(peaks, 95)) * gain == pytest.approx(0.2512 * 32768, rel=0.01)


def test_a_knock_does_not_turn_the_gain_down() -> None:
    speech = [3000] * 60
    assert speech_gain(np.array([*speech, 32767, 32767], "<i2")) == speech_gain(np.array(speech, "<i2"))
    assert speech_gain(np.zeros(0, "<i2")) is None
    assert speech_gain(np.zeros(9, "<i2")) is None


def detector() -> Any:
    device = load_device(CONFIGS / "devices" / "desk.toml")
    return plugins.build_engine("speech_detectors", "silero", device, load_persona(device.persona))


def a_talk(share: float) -> Samples:
    sound = samples_of(
        room(0.5, say("good morning, this is an ordinary voice and it says several words in a row"), 0.5)
    )
    return np.rint(share * sound).clip(-32768, 32767).astype("<i2")


@needs_voice
def test_ordinary_speech_is_calibrated_and_the_result_is_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    found = calibration_result(a_talk(0.1), detector(), state)
    assert found.outcome == "pass"
    assert str(state / CALIBRATION_FILE) in found.text
    gain = found.measured["gain"]
    assert isinstance(gain, float)
    assert gain > 1
    # As the product will take it in, and as loud as it should be then.
    overrides = read_calibration(state)
    assert overrides == {"ears.microphone.gain": gain}
    device: Device = load_device(CONFIGS / "devices" / "desk.toml", overrides)
    assert device.ears.microphone.gain == gain
    again = calibration_result(
        np.rint(gain * a_talk(0.1)).clip(-32768, 32767).astype("<i2"), detector(), tmp_path / "again"
    )
    assert again.measured["speech_peak_dbfs"] == pytest.approx(-12.0, abs=0.7)
    # Half as loud speech needs twice the gain.
    halved = calibration_result(a_talk(0.05), detector(), tmp_path / "halved")
    assert halved.measured["gain"] == pytest.approx(2 * gain, rel=0.05)


@needs_voice
def test_what_cannot_be_calibrated_writes_nothing(tmp_path: Path) -> None:
    for sound, words in (
        (noise(3.0, 300), "0.0 s of speech"),
        (a_talk(12.0), "clips"),
        (a_talk(0.003), "would need a gain|s of speech"),
    ):
        found = calibration_result(sound, detector(), tmp_path)
        assert found.outcome == "fail"
        assert any(one in found.text for one in words.split("|")), found.text
        assert found.advice
    assert list(tmp_path.iterdir()) == []


@given(st.floats(0.05, 32.0))
def test_a_kept_gain_is_read_back(gain: float) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write_calibration(Path(folder), gain)
        assert read_calibration(Path(folder)) == {"ears.microphone.gain": gain}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gain = 2",
        "[ears]\nmicrophone = 3",
        '[ears.microphone]\ngain = "2"',
        "[ears.microphone]\ngain = true",
        "[ears.microphone]\ngain = 99.0",
        "[ears.microphone]\ngain = nan",
        '[ears.microphone]\ngain = 2.0\ndevice = "x"',
        "[ears.microphone",
    ],
)
def test_a_calibration_file_that_was_edited_is_refused(tmp_path: Path, text: str) -> None:
    assert read_calibration(tmp_path) == {}
    (tmp_path / CALIBRATION_FILE).write_text(text)
    with pytest.raises(ConfigError, match=CALIBRATION_FILE):
        read_calibration(tmp_path)


def test_a_state_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(DeviceError, match="--state"):
        write_calibration(tmp_path / "state", 2.0)


class VirtualUnit:
    """A virtual sound card with a room around it, and the command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sound = VirtualSound(folder)
        self.sound.start()
        with wave.open(str(folder / "room.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            quiet = np.random.default_rng(1).normal(0, 60, 60 * RATE).astype("<i2")
            file.writeframes(quiet.tobytes())
        self._room = self.sound.player(folder / "room.wav")
        self._numbers = itertools.count()

    def close(self) -> None:
        self._room.terminate()
        self._room.wait()
        self.sound.stop()

    def pactl(self, *arguments: str) -> str:
        return subprocess.run(
            ["pactl", *arguments], env=self.sound.environment, capture_output=True, text=True, check=True
        ).stdout

    def echo(self, latency_ms: int, share: float) -> None:
        """Let the microphone hear the loudspeaker. PulseAudio's volume is a cube: `share` is one of its scale."""
        self.pactl("load-module", "module-loopback", "source=spk.monitor", "sink=mic_in",
                   f"latency_msec={latency_ms}", "adjust_time=0")  # fmt: skip
        [number] = [
            line.split()[0] for line in self.pactl("list", "short", "sink-inputs").splitlines() if "loopback" in line
        ]
        self.pactl("set-sink-input-volume", number, str(round(65536 * share)))

    def doctor(self, only: str, *more: str) -> tuple[int, dict[str, Any]]:
        return run_doctor(self.folder / str(next(self._numbers)), self.sound.environment, only, *more)


def run_doctor(state: Path, environment: dict[str, str], only: str, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit status, and the checks by name."""
    done = subprocess.run(
        [sys.executable, "-c", "from companion.cli.doctor import doctor; doctor()",
         "--auto", "--json", "--state", str(state), "--only", only, *more],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, {one["name"]: one for one in json.loads(done.stdout)["checks"]}


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[VirtualUnit]:
    made = VirtualUnit(tmp_path)
    yield made
    made.close()


@needs_card
@needs_voice
@pytest.mark.time_limit(180, 5)  # on a busy machine the doctor measures up to three times
def test_a_unit_that_hears_itself_passes_and_its_echo_is_measured(unit: VirtualUnit) -> None:
    status, silent = unit.doctor("loop")
    assert status == 1
    assert "does not hear the loudspeaker" in silent["loop"]["text"]
    # 0.4 of PulseAudio's scale is 20 log10(0.4 ** 3) = -23.9 dB.
    unit.echo(60, 0.4)
    (unit.folder / "1").mkdir()
    status, told = unit.doctor("sound,microphone,loop,wake_word")
    assert [one["outcome"] for one in told.values()] == ["pass"] * 4, told
    assert status == 0
    assert told["microphone"]["measured"]["level_dbfs"] == pytest.approx(-60.5, abs=2)
    assert told["loop"]["measured"]["echo_db"] == pytest.approx(-23.9, abs=1.5)
    # The echo guard begins with what was measured: the delay that is left where that of the card is known.
    assert 0 <= told["loop"]["measured"]["guard_delay_ms"] <= told["loop"]["measured"]["delay_ms"]
    known = kept_echo.read(unit.folder / "1" / kept_echo.FILE)
    assert known is not None
    assert abs(known.gains.mean(axis=1).argmax() * 32 - told["loop"]["measured"]["guard_delay_ms"]) <= 64
    assert 30 <= told["loop"]["measured"]["delay_ms"] <= 250
    assert told["sound"]["measured"]["microphone_hz"] >= 16_000


@needs_card
def test_a_wrong_name_and_a_card_that_is_gone_say_what_to_do(unit: VirtualUnit) -> None:
    status, told = unit.doctor("sound,microphone,loop", "--set", "ears.microphone.device=Blue Yeti")
    assert status == 1
    assert "there is no microphone called 'Blue Yeti'" in told["sound"]["text"]
    assert "loudspeaker" in told["sound"]["measured"]
    assert [told[name]["outcome"] for name in ("microphone", "loop")] == ["skip", "skip"]
    unit.sound.stop(suddenly=True)
    status, told = unit.doctor("sound")
    assert status == 1
    assert told["sound"]["outcome"] == "fail"
    assert told["sound"]["advice"]
