"""Endpointing: where an utterance begins, where it pauses and where it ends, in audio time.

Pure: no I/O, no clock. `Endpointer` is fed with frames and the probability that each holds speech, and decides at frame
boundaries. Time is counted in samples at `EAR_RATE`. Only silence that was really heard counts, so a gap in the
positions (the sound card lost sound) does not end an utterance. The two limits, longest utterance and longest wait for
speech, count positions.

After a short pause the utterance is likely over (`SpeechPaused`). It ends when the pause has lasted as long as its
words ask for (`Endpointer.wait_for`), unless the person goes on first, which takes as much speech as to begin.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from companion.config.device import EndpointSettings
from companion.ears.noise_floor import NoiseFloor
from companion.events import EAR_RATE, SAMPLE_BYTES, AudioFrame, NobodySpoke, SpeechResumed, SpeechStarted

ONSET_WINDOW = 5
"""Speech begins when, of this many frames ..."""

ONSET_VOICED = 3
"""... this many are voiced: 96 ms of 160 ms with 32 ms frames. A click has one or two."""

HYSTERESIS = 0.7
"""During speech the threshold is lower by this factor: 0.5 becomes 0.35."""

SILENCE_LEVEL = 0.01
"""A frame that is quieter than the loudest of the utterance by this factor (40 dB) is silence, whatever the detector
says. The detector still reports speech for about 60 ms after its end, which would delay the decision."""

NOISE_LEVEL = 1.2
"""So is one that is not louder than the room by this factor (1.6 dB): in noise the detector may go on for a second."""


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
class SpeechPaused:
    """An utterance is likely over."""

    start: int
    """Position of the first voiced sample."""

    end: int
    """Position just after the last voiced frame."""

    decided: int
    """Position at which this was decided."""


@dataclass(frozen=True, slots=True)
class SpeechEnded(SpeechPaused):
    """An utterance is over."""

    energy: int = field(default=0, compare=False)
    """Energy of its median voiced frame."""


class Onset:
    """The last few frames: whether enough of them are voiced for speech to begin."""

    def __init__(self) -> None:
        self._starts: deque[int | None] = deque(maxlen=ONSET_WINDOW)
        """For each frame: its start if it was voiced, else None."""
        self._run_start = 0
        self.end = 0
        """Position just after the last voiced frame."""

    @property
    def start(self) -> int:
        """Position of the first voiced sample. A run of voiced frames may begin before the window, if words follow the
        wake word in one breath."""
        return min(self._run_start, next(start for start in self._starts if start is not None))

    def count(self, frame: AudioFrame, *, voiced: bool, ignored_until: int = 0) -> int:
        """Note the next frame; how many of the window are voiced and do not begin before `ignored_until`."""
        if voiced:
            if not self._starts or self._starts[-1] is None:
                self._run_start = frame.start
            self.end = frame.end
        self._starts.append(frame.start if voiced else None)
        return sum(start is not None and start >= ignored_until for start in self._starts)


class Endpointer:
    """Finds utterances. `begin` starts to wait for speech; then `feed` frames until it returns a decision."""

    _in_speech: bool
    _paused: bool
    _start: int
    _end: int
    _counted: int
    """Voiced frames of the last few that may become speech."""
    _quiet: int
    """Samples of silence since `_end`."""
    _loudest: int
    _onset: Onset
    _voiced: list[int]
    """Energy of each voiced frame of the utterance."""

    def __init__(self, settings: EndpointSettings) -> None:
        self._threshold = settings.threshold
        self._pause = min(settings.likely_s, settings.silence_s) * EAR_RATE
        self._silence = settings.silence_s * EAR_RATE
        self._longest = settings.longest_s * EAR_RATE
        self._deadline = math.inf
        self._ignored_until = 0
        self.least_energy = 0.0
        """Speech does not begin before one of its frames has this energy."""
        self._floor = NoiseFloor()
        self._reset()

    @property
    def in_speech(self) -> bool:
        return self._in_speech

    @property
    def may_begin(self) -> bool:
        """Whether something voiced was heard just now that may become speech."""
        return self._counted > 0

    def hear_room(self, frame: AudioFrame) -> None:
        """Learn how loud the room is from a frame before those that are fed."""
        self._floor.hear(_energy(_samples(frame.pcm)))

    def begin(self, at: int, no_speech_s: float, *, ignored_until: int | None = None) -> None:
        """Wait for speech from position `at` on, and give up after `no_speech_s` seconds (may be infinite).

        Voiced frames that begin before `ignored_until` (the tail of the wake word) do not begin an utterance.
        """
        self._deadline = at + no_speech_s * EAR_RATE
        self._ignored_until = at if ignored_until is None else ignored_until
        self._reset()

    def resume(self, at: int) -> NobodySpoke | None:
        """Go on waiting, with the same deadline, because what was heard turned out to hold no words."""
        self._ignored_until = at
        self._reset()
        return NobodySpoke(at) if at >= self._deadline else None

    def wait_for(self, silence_s: float) -> None:
        """How long the pause must last, in seconds from its beginning, to end the utterance that has just paused."""
        self._needed = silence_s * EAR_RATE

    def feed(
        self, frame: AudioFrame, probability: float
    ) -> SpeechStarted | SpeechPaused | SpeechResumed | SpeechEnded | NobodySpoke | None:
        """Take the next frame and the probability that it holds speech; return the decision that it leads to."""
        energy = _energy(_samples(frame.pcm))
        self._floor.hear(energy)
        if not self._in_speech:
            return self._feed_before_speech(frame, probability, energy)
        self._loudest = max(self._loudest, energy)
        silence = max(SILENCE_LEVEL**2 * self._loudest, NOISE_LEVEL**2 * self._floor.energy)
        voiced = probability >= self._threshold * HYSTERESIS and energy >= silence
        if voiced:
            self._voiced.append(energy)
        decision = self._feed_in_pause(frame, voiced) if self._paused else self._feed_during_speech(frame, voiced)
        if decision is None and frame.end - self._start >= self._longest:
            decision = self._ended(frame.end)
        if isinstance(decision, SpeechEnded):
            self._reset()
        return decision

    def _feed_before_speech(
        self, frame: AudioFrame, probability: float, energy: int
    ) -> SpeechStarted | NobodySpoke | None:
        voiced = probability >= self._threshold
        counted = self._counted = self._onset.count(frame, voiced=voiced, ignored_until=self._ignored_until)
        self._loudest = max(self._loudest, energy if voiced else 0) if counted else 0
        if counted >= ONSET_VOICED and self._loudest >= self.least_energy:
            self._in_speech, self._counted = True, 0
            self._start, self._end = self._onset.start, self._onset.end
            self._quiet = frame.end - self._end
            return SpeechStarted(self._start)
        # Somebody may just be starting to speak: extend the deadline once, by the length of the window.
        patience = ONSET_WINDOW * (frame.end - frame.start) if counted else 0
        if frame.end >= self._deadline + patience:
            self._reset()
            return NobodySpoke(frame.end)
        return None

    def _feed_during_speech(self, frame: AudioFrame, voiced: bool) -> SpeechPaused | None:
        if voiced:
            self._end = frame.end
            self._quiet = 0
            return None
        self._quiet += frame.end - frame.start
        if self._quiet < self._pause:
            return None
        self._paused, self._onset = True, Onset()
        return SpeechPaused(self._start, self._end, frame.end)

    def _feed_in_pause(self, frame: AudioFrame, voiced: bool) -> SpeechResumed | SpeechEnded | None:
        """A sound too short for a word does not lengthen the utterance; what may become one is waited for, briefly."""
        counted = self._onset.count(frame, voiced=voiced)
        if counted >= ONSET_VOICED:
            self._paused = False
            self._needed = self._silence
            self._end = self._onset.end
            self._quiet = frame.end - self._end
            return SpeechResumed(self._onset.start)
        self._quiet += frame.end - frame.start
        patience = ONSET_WINDOW * (frame.end - frame.start) if counted else 0
        if self._quiet >= self._needed + patience:
            return self._ended(frame.end)
        return None

    def _ended(self, decided: int) -> SpeechEnded:
        median = sorted(self._voiced)[len(self._voiced) // 2] if self._voiced else 0
        return SpeechEnded(self._start, self._end, decided, median)

    def end_of_sound(self, at: int) -> SpeechEnded | None:
        """End the utterance, if there is one, because the sound itself ends at position `at`."""
        ended = self._ended(at) if self._in_speech else None
        self._reset()
        return ended

    def _reset(self) -> None:
        self._in_speech = self._paused = False
        self._start = self._end = self._quiet = self._counted = 0
        self._needed = self._silence
        self._loudest = 0
        self._voiced = []
        self._onset = Onset()


@dataclass(frozen=True, slots=True)
class Wake:
    """A wake word (or button press) that was just heard."""

    words_from: int
    """Position where the words after it begin."""

    at: int
    """Position of its recognition: speech before this may still be the wake word."""


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
    samples = _samples(pcm[-WAKE_LOOK_BACK * SAMPLE_BYTES :])
    steps = [samples[at : at + _STEP] for at in range(0, len(samples) - _STEP + 1, _STEP)]
    energy = [_energy(step) for step in steps]
    windows = [sum(energy[at : at + _PAUSE_STEPS]) for at in range(len(energy) - _PAUSE_STEPS + 1)]
    if windows and min(windows) < _PAUSE_LEVEL**2 * max(windows):
        quietest = windows.index(min(windows))
        return len(samples) - quietest * _STEP - _PAUSE_STEPS * _STEP // 2
    return min(len(samples), _USUAL_DELAY)


def _samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def _energy(samples: NDArray[np.float64]) -> int:
    return int(np.dot(samples, samples))
