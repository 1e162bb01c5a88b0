"""When the speech detector is asked, and what it is given."""

from __future__ import annotations

from companion.ears.others_speech import CAUGHT_UP, OthersSpeech
from companion.events import AudioFrame


class Heard:
    """A detector that remembers what it was given."""

    frame_samples = 1

    def __init__(self) -> None:
        self.frames: list[int] = []

    def probability(self, pcm: bytes) -> float:
        self.frames.append(pcm[0])
        return 0.9

    def reset(self) -> None:
        self.frames.clear()


def frame(number: int) -> AudioFrame:
    return AudioFrame(bytes((number, 0)), number)


def test_the_detector_rests_while_only_the_device_speaks() -> None:
    heard = Heard()
    speech = OthersSpeech(heard)
    assert [speech.probability(frame(number), is_own=True) for number in range(100)] == [0.0] * 100
    assert heard.frames == []


def test_before_somebody_else_it_is_given_the_last_frames_that_it_missed() -> None:
    heard = Heard()
    speech = OthersSpeech(heard)
    for number in range(20):
        speech.probability(frame(number), is_own=True)
    assert speech.probability(frame(20), is_own=False) == 0.9
    assert heard.frames == list(range(20 - CAUGHT_UP, 21))
    assert speech.probability(frame(21), is_own=False) == 0.9
    assert heard.frames[-2:] == [20, 21]


def test_what_was_missed_before_it_began_anew_is_forgotten() -> None:
    heard = Heard()
    speech = OthersSpeech(heard)
    speech.probability(frame(1), is_own=True)
    speech.reset()
    speech.probability(frame(2), is_own=False)
    assert heard.frames == [2]
