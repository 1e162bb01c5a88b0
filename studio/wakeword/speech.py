"""Synthetic people: espeak-ng in all its voices and accents, and every Piper voice that is there.

espeak-ng (GPL-3) runs as a program, and what it says belongs to nobody but its user. Sound is float32 at 16 kHz with a
root mean square of 1000, cut to what is said.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]  # has no stubs
from numpy.typing import NDArray

from companion.errors import EngineUnavailable
from companion.events import EAR_RATE

Sound = NDArray[np.float32]

PROGRAM = "espeak-ng"

VARIANTS = (
    *("Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Gustave", "Henrique", "Hugo"),
    *("Jacky", "Lee", "Marco", "Mario", "Michael", "Michel", "Nguyen", "adam", "anika", "antonio", "aunty", "belinda"),
    *("benjamin", "boris", "caleb", "croak", "david", "ed", "edward", "edward2", "f1", "f2", "f3", "f4", "f5"),
    *("grandma", "grandpa", "iven", "iven2", "iven3", "john", "kaukovalta", "klatt", "klatt2", "klatt3", "klatt4"),
    *("klatt5", "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "miguel", "mike", "norbert"),
    *("pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph2", "steph3", "travis"),
    *("victor", "whisperf", "zac"),
)
"""Those of espeak-ng's variants that sound like people."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A text, and who says it and how."""

    text: str
    """Words, or phonemes of espeak-ng in double square brackets."""
    voice: str
    speed: int
    """Words a minute."""
    pitch: int
    """0 to 99."""


def any_saying(text: str, accents: Sequence[str], random: np.random.Generator) -> Saying:
    """This text by somebody, at any speed and pitch that people have."""
    voice = f"{random.choice(accents)}+{random.choice(VARIANTS)}"
    return Saying(text, voice, int(random.integers(105, 236)), int(random.integers(10, 91)))


def said(sayings: Iterable[Saying], threads: int) -> Iterator[Sound]:
    """The sound of each that has any, in their order. Raises `EngineUnavailable` without espeak-ng."""
    with ThreadPoolExecutor(threads) as pool:
        yield from (sound for sound in pool.map(_say, sayings) if len(sound))


def _say(saying: Saying) -> Sound:
    command = (
        PROGRAM,
        "-v",
        saying.voice,
        "-s",
        f"{saying.speed}",
        "-p",
        f"{saying.pitch}",
        "--stdin",
        "--stdout",
        "-z",
    )
    try:
        wave = subprocess.run(command, input=saying.text.encode(), capture_output=True, check=False, timeout=30).stdout
    except OSError as error:
        raise EngineUnavailable("espeak-ng is needed to make voices: apt install espeak-ng") from error
    at = wave.find(b"data", 0, 100)
    if at < 0:
        return np.zeros(0, np.float32)
    rate = int.from_bytes(wave[24:28], "little")
    return cut(np.frombuffer(wave[at + 8 : at + 8 + (len(wave) - at - 8) // 2 * 2], "<i2").astype(np.float32), rate)


def cut(sound: Sound, rate: int) -> Sound:
    """At 16 kHz, as loud as every other, without the silence around it; empty if there is nothing but silence."""
    if len(sound) < rate // 20 or not sound.any():
        return np.zeros(0, np.float32)
    at_ear_rate: Sound = soxr.resample(sound, rate, EAR_RATE).astype(np.float32)
    loud = np.flatnonzero(np.abs(at_ear_rate) > np.abs(at_ear_rate).max() * 0.01)
    kept = at_ear_rate[loud[0] : loud[-1] + 1]
    loudness = np.float32(1000 / np.sqrt(np.mean(kept**2)))
    level: Sound = kept * loudness
    return level


class PiperVoices:
    """Installed Piper voices of one language."""

    def __init__(self, files: Sequence[Path]) -> None:
        """`files`: `.onnx` files with their `.onnx.json` beside them."""
        from piper import PiperVoice

        self._voices = [PiperVoice.load(str(file)) for file in files]

    def said(self, text: str, count: int, random: np.random.Generator) -> Iterator[Sound]:
        """`text` `count` times, by voices and speakers in turn, each time a little differently."""
        from piper import SynthesisConfig

        for number in range(count if self._voices else 0):
            voice = self._voices[number % len(self._voices)]
            speakers = voice.config.num_speakers
            settings = SynthesisConfig(
                speaker_id=int(random.integers(speakers)) if speakers > 1 else None,
                length_scale=float(random.uniform(0.8, 1.3)),
                noise_scale=0.0,
                noise_w_scale=0.0,
            )
            pieces = [chunk.audio_float_array for chunk in voice.synthesize(text, settings)]
            if pieces:
                yield cut(np.concatenate(pieces).astype(np.float32), voice.config.sample_rate)
