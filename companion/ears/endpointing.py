"""Where speech begins and ends (endpointing), in audio time.

Pure: no I/O, no clock. Fed with frames and how likely each holds speech, it decides at frame boundaries. Time is
counted in samples at `EAR_RATE`. Silence is counted in sound that was really heard, so a gap in the positions (the
card lost sound) does not end an utterance; the two limits, longest and nobody, count positions.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass
from operator import mul

from companion.config.device import EndpointSettings
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame, NobodySpoke, SpeechStarted

ONSET_WINDOW = 5
"""Frames that are looked at for the beginning of speech ..."""

ONSET_VOICED = 3
"""... and how many of them must be voiced: 96 ms of 160 ms with 32 ms frames. A click has one or two."""

HYSTERESIS = 0.7
"""Inside speech the threshold is lower by this factor: 0.5 becomes 0.35."""

FADED = 0.01
"""A frame this much quieter (40 dB) than the utterance's loudest is silence, whatever the detector says: it remembers
speech for some 60 ms, by which the end would be decided too late."""


class Framer:
    """Cuts sound that comes in pieces of any size into frames of one size."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._rest = b""
        self._position = 0

    def frames(self, sound: AudioFrame) -> list[AudioFrame]:
        """The frames that are now whole. Where sound was lost, the unfinished frame before the gap is left out."""
        if sound.start != self._position:
            self._rest = b""
        pcm = self._rest + sound.pcm
        size = self._samples * SAMPLE_BYTES
        whole = len(pcm) // size
        start = sound.start - len(self._rest) // SAMPLE_BYTES
        self._rest = pcm[whole * size :]
        self._position = sound.end
        return [AudioFrame(pcm[at * size : (at + 1) * size], start + at * self._samples) for at in range(whole)]

    def drop(self) -> None:
        """Forget the unfinished frame."""
        self._rest = b""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """An utterance is over."""

    start: int
    """Position of the first voiced sample."""

    end: int
    """Position just after the last voiced frame."""

    decided: int
    """Position at which this was decided."""


class Endpointer:
    """One period of listening after another: `begin`, then `feed` until it decides something."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._threshold = settings.threshold
        self._silence = settings.silence_s * EAR_RATE
        self._longest = settings.longest_s * EAR_RATE
        self._deadline = math.inf
        self._ignored_until = 0
        self._loudest = 0
        self._forget()

    @property
    def in_speech(self) -> bool:
        return self._in_speech

    def begin(self, at: int, nobody_s: float, *, ignored_until: int | None = None) -> None:
        """Start a period at position `at` that ends by itself after `nobody_s` (may be infinite) without speech.

        Voiced frames that begin before `ignored_until` do not begin an utterance: the tail of the wake word.
        """
        self._deadline = at + nobody_s * EAR_RATE
        self._ignored_until = at if ignored_until is None else ignored_until
        self._forget()

    def resume(self, at: int) -> NobodySpoke | None:
        """What was taken for an utterance had no words in it: go on within what is left of the same period."""
        self._ignored_until = at
        self._forget()
        return NobodySpoke(at) if at >= self._deadline else None

    def feed(self, frame: AudioFrame, probability: float) -> SpeechStarted | SpeechEnded | NobodySpoke | None:
        """Take the next frame; say what it decides."""
        if self._in_speech:
            return self._inside(frame, probability)
        return self._outside(frame, probability)

    def _outside(self, frame: AudioFrame, probability: float) -> SpeechStarted | NobodySpoke | None:
        voiced = probability >= self._threshold
        if voiced:
            # A run of voiced frames may begin before the window: words that follow the wake word in one breath do.
            if not self._onset or self._onset[-1] is None:
                self._start = frame.start
            self._end = frame.end
        self._onset.append(frame.start if voiced else None)
        voiced_starts = [start for start in self._onset if start is not None]
        counted = sum(start >= self._ignored_until for start in voiced_starts)
        if counted >= ONSET_VOICED:
            self._in_speech = True
            self._start = min(self._start, voiced_starts[0])
            self._quiet = frame.end - self._end
            return SpeechStarted(self._start)
        # Somebody may just be beginning to speak: give the window the time to tell, once.
        patience = ONSET_WINDOW * (frame.end - frame.start) if counted else 0
        if frame.end >= self._deadline + patience:
            self._forget()
            return NobodySpoke(frame.end)
        return None

    def _inside(self, frame: AudioFrame, probability: float) -> SpeechEnded | None:
        energy = _energy(array("h", frame.pcm))
        self._loudest = max(self._loudest, energy)
        if probability >= self._threshold * HYSTERESIS and energy >= FADED**2 * self._loudest:
            self._end = frame.end
            self._quiet = 0
        else:
            self._quiet += frame.end - frame.start
        if self._quiet < self._silence and frame.end - self._start < self._longest:
            return None
        ended = SpeechEnded(self._start, self._end, frame.end)
        self._forget()
        return ended

    def cut_off(self, at: int) -> SpeechEnded | None:
        """The sound ended at position `at`: so does the speech in it."""
        ended = SpeechEnded(self._start, self._end, at) if self._in_speech else None
        self._forget()
        return ended

    def _forget(self) -> None:
        self._in_speech = False
        self._start = self._end = self._quiet = 0
        self._loudest = 0
        self._onset: deque[int | None] = deque(maxlen=ONSET_WINDOW)
        """The last frames: where the voiced ones began."""


LOOK_BACK = round(0.35 * EAR_RATE)
"""How far before its recognition a wake word may have ended, in samples."""

_USUAL_DELAY = round(0.18 * EAR_RATE)
_STEP = EAR_RATE // 100
_PAUSE_STEPS = 8
_PAUSE_LEVEL = 0.08


def after_wake_word(pcm: bytes) -> int:
    """Where the words behind a wake word begin, in the sound up to its recognition: samples before the end of `pcm`.

    That is the quietest 80 ms of the last 0.35 s if they are a pause (below 8 % of the loudest level there), else the
    usual delay of the recognition, 0.18 s. Measured with okay_nabu, six espeak-ng voices, eight sentences and Vosk: all
    are heard exactly right in one breath and behind a pause of 0.1 s or more; where a recorded sentence was joined to
    the word without any pause, nine in ten.
    """
    samples = array("h", pcm[-LOOK_BACK * SAMPLE_BYTES :])
    steps = [samples[at : at + _STEP] for at in range(0, len(samples) - _STEP + 1, _STEP)]
    energy = [_energy(step) for step in steps]
    windows = [sum(energy[at : at + _PAUSE_STEPS]) for at in range(len(energy) - _PAUSE_STEPS + 1)]
    if windows and min(windows) < _PAUSE_LEVEL**2 * max(windows):
        quietest = windows.index(min(windows))
        return len(samples) - quietest * _STEP - _PAUSE_STEPS * _STEP // 2
    return min(len(samples), _USUAL_DELAY)


def _energy(samples: array[int]) -> int:
    return sum(map(mul, samples, samples))
