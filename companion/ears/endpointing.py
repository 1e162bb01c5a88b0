"""Endpointing: where an utterance begins and where it ends, in audio time.

Pure: no I/O, no clock. `Endpointer` is fed with frames and the probability that each holds speech, and decides at frame
boundaries. Time is counted in samples at `EAR_RATE`. Only silence that was really heard counts, so a gap in the
positions (the sound card lost sound) does not end an utterance. The two limits, longest utterance and longest wait for
speech, count positions.
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
"""Speech begins when, of this many frames ..."""

ONSET_VOICED = 3
"""... this many are voiced: 96 ms of 160 ms with 32 ms frames. A click has one or two."""

HYSTERESIS = 0.7
"""During speech the threshold is lower by this factor: 0.5 becomes 0.35."""

SILENCE_LEVEL = 0.01
"""A frame that is quieter than the loudest of the utterance by this factor (40 dB) is silence, whatever the detector
says. The detector still reports speech for about 60 ms after its end, which would delay the decision."""


class Framer:
    """Cuts sound that arrives in pieces of any size into frames of one size."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._rest = b""
        self._position = 0

    def frames(self, sound: AudioFrame) -> list[AudioFrame]:
        """The frames that are now complete. If sound was lost, the unfinished frame before the gap is dropped."""
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
        """Drop the unfinished frame."""
        self._rest = b""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """An utterance is over."""

    start: int
    """Position of the first voiced sample."""

    end: int
    """Position just after the last voiced frame."""

    decided: int
    """Position at which the end was decided."""


class Endpointer:
    """Finds utterances. `begin` starts to wait for speech; then `feed` frames until it returns a decision."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._threshold = settings.threshold
        self._silence = settings.silence_s * EAR_RATE
        self._longest = settings.longest_s * EAR_RATE
        self._deadline = math.inf
        self._ignored_until = 0
        self._loudest = 0
        self._reset()

    @property
    def in_speech(self) -> bool:
        return self._in_speech

    def begin(self, at: int, no_speech_s: float, *, ignored_until: int | None = None) -> None:
        """Wait for speech from position `at` on, and give up after `no_speech_s` seconds (may be infinite).

        Voiced frames that begin before `ignored_until` (the tail of the wake word) do not begin an utterance.
        """
        self._deadline = at + no_speech_s * EAR_RATE
        self._ignored_until = at if ignored_until is None else ignored_until
        self._reset()

    def resume(self, at: int) -> NobodySpoke | None:
        """Go on waiting, with the same deadline, because the last utterance turned out to hold no words."""
        self._ignored_until = at
        self._reset()
        return NobodySpoke(at) if at >= self._deadline else None

    def feed(self, frame: AudioFrame, probability: float) -> SpeechStarted | SpeechEnded | NobodySpoke | None:
        """Take the next frame and the probability that it holds speech; return the decision that it leads to."""
        if self._in_speech:
            return self._feed_during_speech(frame, probability)
        return self._feed_before_speech(frame, probability)

    def _feed_before_speech(self, frame: AudioFrame, probability: float) -> SpeechStarted | NobodySpoke | None:
        voiced = probability >= self._threshold
        if voiced:
            # A run of voiced frames may begin before the window, if words follow the wake word in one breath.
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
        # Somebody may just be starting to speak: extend the deadline once, by the length of the window.
        patience = ONSET_WINDOW * (frame.end - frame.start) if counted else 0
        if frame.end >= self._deadline + patience:
            self._reset()
            return NobodySpoke(frame.end)
        return None

    def _feed_during_speech(self, frame: AudioFrame, probability: float) -> SpeechEnded | None:
        energy = _energy(array("h", frame.pcm))
        self._loudest = max(self._loudest, energy)
        if probability >= self._threshold * HYSTERESIS and energy >= SILENCE_LEVEL**2 * self._loudest:
            self._end = frame.end
            self._quiet = 0
        else:
            self._quiet += frame.end - frame.start
        if self._quiet < self._silence and frame.end - self._start < self._longest:
            return None
        ended = SpeechEnded(self._start, self._end, frame.end)
        self._reset()
        return ended

    def end_of_sound(self, at: int) -> SpeechEnded | None:
        """End the utterance, if there is one, because the sound itself ends at position `at`."""
        ended = SpeechEnded(self._start, self._end, at) if self._in_speech else None
        self._reset()
        return ended

    def _reset(self) -> None:
        self._in_speech = False
        self._start = self._end = self._quiet = 0
        self._loudest = 0
        self._onset: deque[int | None] = deque(maxlen=ONSET_WINDOW)
        """For each of the last frames: its start if it was voiced, else None."""


WAKE_LOOK_BACK = round(0.35 * EAR_RATE)
"""The longest time, in samples, from the end of a wake word to its recognition."""

_USUAL_DELAY = round(0.18 * EAR_RATE)
_STEP = EAR_RATE // 100
_PAUSE_STEPS = 8
_PAUSE_LEVEL = 0.08


def samples_after_wake_word(pcm: bytes) -> int:
    """How many samples at the end of `pcm` follow the wake word; `pcm` is the sound up to its recognition.

    They start in the quietest 80 ms of the last 0.35 s if that is a pause (below 8 % of the loudest level there),
    otherwise 0.18 s before the end, the usual delay of the recognition. Measured with okay_nabu, six espeak-ng voices,
    eight sentences and Vosk: all sentences are understood exactly when spoken in one breath with the wake word or after
    a pause of 0.1 s or more; nine in ten when a recorded sentence is joined to the word without any pause.
    """
    samples = array("h", pcm[-WAKE_LOOK_BACK * SAMPLE_BYTES :])
    steps = [samples[at : at + _STEP] for at in range(0, len(samples) - _STEP + 1, _STEP)]
    energy = [_energy(step) for step in steps]
    windows = [sum(energy[at : at + _PAUSE_STEPS]) for at in range(len(energy) - _PAUSE_STEPS + 1)]
    if windows and min(windows) < _PAUSE_LEVEL**2 * max(windows):
        quietest = windows.index(min(windows))
        return len(samples) - quietest * _STEP - _PAUSE_STEPS * _STEP // 2
    return min(len(samples), _USUAL_DELAY)


def _energy(samples: array[int]) -> int:
    return sum(map(mul, samples, samples))
