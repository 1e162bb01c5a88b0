"""A person for the tests to listen to: espeak-ng speaks, and comes out as 16 kHz 16-bit mono PCM.

Sound is kept for the length of the test run. espeak-ng says the same thing the same way each time, so tests that hear
it are repeatable. Silence here is never digital zero: a real room is not, and engines behave oddly on zeros.
"""

from __future__ import annotations

import functools
import io
import subprocess
import wave
from pathlib import Path

import numpy as np
import soxr

RATE = 16_000
VOICES = ("en", "en-us", "en-gb", "en+f3", "en-us+m3", "en-gb-scotland")


@functools.cache
def say(text: str, voice: str = "en", speed: int = 160) -> bytes:
    """`text` spoken in an espeak-ng voice at `speed` words a minute, without the silence at either end."""
    done = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", str(speed), "--stdin", "--stdout"],
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate = file.getframerate()
        # espeak-ng writes to a pipe and cannot fill in the length, so the header's count is of no use.
        samples = np.frombuffer(file.readframes(len(done.stdout)), "<i2")
    sound = soxr.resample(samples, rate, RATE)
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > 300)
    return bytes(sound[loud[0] : loud[-1] + 1].astype("<i2").tobytes())


@functools.cache
def silence(seconds: float, level: float = 8.0, seed: int = 1) -> bytes:
    """A quiet room: white noise of `level` (standard deviation; full scale is 32767)."""
    noise = np.random.default_rng(seed).normal(0, level, round(seconds * RATE))
    return noise.astype("<i2").tobytes()


def room(*parts: bytes | float) -> bytes:
    """Speech and pauses (in seconds) one after the other, in the same quiet room."""
    sound = b"".join(silence(part) if isinstance(part, float) else part for part in parts)
    return (
        (np.frombuffer(sound, "<i2") // 2 + np.frombuffer(silence(len(sound) / 2 / RATE), "<i2"))
        .astype("<i2")
        .tobytes()
    )


def seconds(pcm: bytes) -> float:
    """Length of a sound."""
    return len(pcm) / 2 / RATE


@functools.cache
def recording(path: Path) -> bytes:
    """A FLAC or WAV file through the `sox` command."""
    done = subprocess.run(
        ["sox", str(path), "-t", "raw", "-r", str(RATE), "-c", "1", "-e", "signed", "-b", "16", "-"],
        capture_output=True,
        check=True,
    )
    return done.stdout


def conversation_wav(
    path: Path,
    wake: str,
    *turns: str,
    pause_s: float = 0.4,
    room_s: float = 11.0,
    then: str = "",
    voice: str = "en-us+m3",
) -> Path:
    """A file in which somebody says the wake word (unless empty) and the turns, each with room for an answer.

    `pause_s` lies between the wake word and the first turn; `then` is said at the very end. `voice` says the turns.
    """
    parts: list[bytes | float] = [1.0]
    if wake:
        parts += [say(wake, "en-us+m3"), pause_s]
    for turn in turns:
        parts += [say(turn, voice), room_s]
    if then:
        parts += [say(then, "en-us+m3"), 3.0]
    return _as_wav(path, room(*parts))


def talk_wav(path: Path, *parts: str | float, voice: str = "en-us+m3") -> Path:
    """A file in which somebody says the texts, with pauses of so many seconds."""
    return _as_wav(path, room(1.0, *(say(part, voice) if isinstance(part, str) else part for part in parts)))


def flac_as_wav(flac: Path, path: Path) -> Path:
    """A recording with quiet around it."""
    return _as_wav(path, silence(1.0) + recording(flac) + silence(2.0))


def _as_wav(path: Path, pcm: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(pcm)
    return path
