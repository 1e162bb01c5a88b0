"""Microphone and loudspeaker over real PortAudio streams, on a private PulseAudio daemon; about 15 s of real time."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.paths import ROOT
from tests.support.virtual_sound import RATE, VirtualSound, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

PROBE = [sys.executable, str(ROOT / "tests" / "support" / "virtual_sound_probe.py")]
LOUD = 500
TICK_S = 0.005
PROGRAMS = 4
"""Sound passes from the probe through the daemon and the recorder to this test, and each of them may be late."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualSound]:
    daemon = VirtualSound(tmp_path_factory.mktemp("sound"))
    daemon.start()
    yield daemon
    daemon.stop()


class Probe:
    """The running program under test; its lines as dictionaries."""

    def __init__(self, sound: VirtualSound, *command: str) -> None:
        self.process = subprocess.Popen(
            [*PROBE, *command], env=sound.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        said: dict[str, Any] = json.loads(line)
        return said

    def rest(self, typed: str = "") -> list[dict[str, Any]]:
        out, errors = self.process.communicate(typed, timeout=20)
        assert self.process.returncode == 0, errors
        return [json.loads(line) for line in out.splitlines()]


class Recording:
    """What comes out of the loudspeaker, and when each piece of it came."""

    def __init__(self) -> None:
        self.pieces: list[tuple[float, bytes]] = []
        self.machine_late_s = 0.0
        """How late this machine was meanwhile by itself, at most: each time below is allowed that much more."""

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        return np.frombuffer(b"".join(piece for _, piece in self.pieces), "<i2")

    def last_loud(self, since: float, until: float) -> float:
        """When the last loud piece came."""
        return max(at for at, piece in self.pieces if since <= at < until and _peak(piece) > LOUD)

    def first_loud(self, since: float) -> float:
        return min(at for at, piece in self.pieces if at >= since and _peak(piece) > LOUD)


def _peak(piece: bytes) -> int:
    return int(np.abs(np.frombuffer(piece[: len(piece) // 2 * 2], "<i2").astype(int)).max(initial=0))


@contextmanager
def recording(sound: VirtualSound) -> Iterator[Recording]:
    recorder = sound.recorder()
    recorded = Recording()
    running = threading.Event()

    def read() -> None:
        assert recorder.stdout is not None
        while piece := recorder.stdout.read1(4096):  # type: ignore[attr-defined]  # it is buffered
            recorded.pieces.append((time.monotonic(), piece))
            running.set()

    over = threading.Event()

    def watch() -> None:
        while True:
            due = time.monotonic() + TICK_S
            if over.wait(TICK_S):
                return
            recorded.machine_late_s = max(recorded.machine_late_s, PROGRAMS * (time.monotonic() - due))

    reader = threading.Thread(target=read)
    reader.start()
    watcher = threading.Thread(target=watch)
    watcher.start()
    assert running.wait(10)
    try:
        yield recorded
    finally:
        over.set()
        watcher.join()
        recorder.terminate()
        # The reader comes to the end by itself; only then may the pipe be closed.
        reader.join()
        recorder.communicate()


def captures(sound: VirtualSound) -> int:
    """How many capture streams are open on the sound server."""
    listed = subprocess.run(
        ["pactl", "list", "short", "source-outputs"], env=sound.environment, capture_output=True, text=True, check=True
    )
    return len(listed.stdout.splitlines())


@pytest.mark.parametrize("begins", ["open", "muted"])
def test_while_muted_no_capture_stream_is_open(sound: VirtualSound, begins: str) -> None:
    others = captures(sound)
    probe = Probe(sound, "mute", begins)
    stdin = probe.process.stdin
    assert stdin is not None
    ends = []
    for turn in range(4):
        muted = (turn % 2 == 0) is (begins == "muted")
        said = probe.line()
        ends.append(said["end"])
        assert said["heard"] == ("silent" if muted else "sound")
        assert said["link"] == ("closed" if muted else "well")
        assert captures(sound) - others == (0 if muted else 1)
        stdin.write("on\n" if turn < 3 else "end\n")
        stdin.flush()
    assert ends == sorted(ends)
    probe.rest()


def test_what_is_played_into_the_microphone_arrives_complete(sound: VirtualSound, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    original = np.convolve(random.normal(0, 3000, 16_000 * 2), np.ones(8) / 3, "same").astype("<i2")
    with wave.open(str(tmp_path / "user.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(original.tobytes())
    probe = Probe(sound, "capture", "3.2", str(tmp_path / "heard.raw"))
    assert probe.line()["listening"]
    assert sound.player(tmp_path / "user.wav").wait(10) == 0
    [told] = probe.rest()
    # As many samples as the clock says, none of them missing in between.
    assert told["samples"] == pytest.approx(told["elapsed"] * 16_000, rel=0.02)
    assert told["bytes"] == told["end"] * 2
    heard = np.frombuffer((tmp_path / "heard.raw").read_bytes(), "<i2").astype(float)
    likeness = np.fft.irfft(np.fft.rfft(heard, 2**17) * np.conj(np.fft.rfft(original.astype(float), 2**17)), 2**17)
    at = int(likeness[: len(heard)].argmax())
    part = heard[at : at + len(original)]
    assert len(part) == len(original)
    # Each tenth of a second is where it belongs.
    for begin in range(0, len(original), 1600):
        assert np.corrcoef(part[begin : begin + 1600], original[begin : begin + 1600])[0, 1] > 0.9


def test_speech_comes_out_whole_and_without_gaps(sound: VirtualSound) -> None:
    """The card holds half a second, so that what is missing was lost by the program and not by a busy machine."""
    with recording(sound) as recorded:
        [_, told] = Probe(sound, "play", "2", "22050", "0.5").rest()
        time.sleep(0.1)
    assert told["position"] == told["samples"] == 44_100
    assert told["positions"] == sorted(told["positions"])
    loud = np.flatnonzero(np.abs(recorded.samples.astype(int)) > LOUD)
    tone = recorded.samples[loud[0] : loud[-1] + 1].astype(float)
    assert len(tone) == pytest.approx(2 * RATE, abs=0.005 * RATE)
    # A gap, however short, would shift the phase of what follows.
    phase = 2 * np.pi * 441 * np.arange(len(tone)) / RATE
    turned = [
        np.angle(part) for part in np.add.reduceat(tone * np.exp(-1j * phase), np.arange(0, 2 * RATE - 4800, 4800))
    ]
    assert np.ptp(np.unwrap(turned)) < 0.2
    # And no sample of it is damaged.
    middle = slice(480, 2 * RATE - 480)
    sine, cosine = np.sin(phase[middle]), np.cos(phase[middle])
    fit = 2 * (np.mean(tone[middle] * sine) * sine + np.mean(tone[middle] * cosine) * cosine)
    assert np.abs(tone[middle] - fit).max() < 0.02 * 9000


def test_speech_begins_at_once_and_is_over_when_it_is_said_to_be(sound: VirtualSound) -> None:
    with recording(sound) as recorded:
        probe = Probe(sound, "play", "0.5")
        began = probe.line()["began"]
        [told] = probe.rest()
        time.sleep(0.1)
    late = recorded.machine_late_s
    assert recorded.first_loud(began) - began < 0.1 + late
    over = recorded.last_loud(began, told["drained"] + 1)
    assert told["drained"] - over == pytest.approx(0, abs=0.05 + late)


def test_a_flush_is_silence_within_50_ms(sound: VirtualSound) -> None:
    with recording(sound) as recorded:
        told = Probe(sound, "flush", "5").rest()
        time.sleep(0.1)
    flushed = [line["flushed"] for line in told if "flushed" in line]
    # The recorder's own few milliseconds are in these.
    silent = [recorded.last_loud(at - 0.2, at + 0.2) - at for at in flushed]
    assert statistics.median(silent) < 0.05 + recorded.machine_late_s
    starts = [line["start"] for line in told if "start" in line]
    positions = [line["position"] for line in told if "position" in line]
    assert all(start >= position for start, position in zip(starts[1:], positions, strict=False))


def test_a_sound_server_that_dies_is_an_error_and_is_used_when_it_is_back(tmp_path: Path) -> None:
    sound = VirtualSound(tmp_path)
    sound.start()
    try:
        probe = Probe(sound, "vanish")
        while "heard" not in probe.line():
            pass
        time.sleep(0.5)
        killed = time.monotonic()
        sound.stop(suddenly=True)
        gone: dict[str, dict[str, Any]] = {}
        while len(gone) < 4:
            line = probe.line()
            if "gone" in line:
                gone[line["gone"]] = line
        assert set(gone) == {"microphone", "speaker", "still microphone", "still speaker"}
        assert all(gone[who]["at"] - killed < 3 for who in ("microphone", "speaker"))
        assert all("\n" not in line["sentence"] for line in gone.values())
        sound.start()
        told = probe.rest("go on\n")
        assert any("heard" in line for line in told)
        assert any("said" in line for line in told)
    finally:
        sound.stop()
