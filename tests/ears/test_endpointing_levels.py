"""Loudness and last moments: what a frame's level decides, and what happens just at a limit."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from companion.config.device import EndpointSettings
from companion.ears.endpointing import WAKE_LOOK_BACK, Endpointer, SpeechEnded, samples_after_wake_word
from companion.events import AudioFrame, NobodySpoke, SpeechStarted
from tests.support.ears import FRAME, SILENCE_FRAMES, frames_decided
from tests.support.synthetic_user import RATE


def begun(no_speech_s: float = 5.0, **changes: Any) -> Endpointer:
    endpointer = Endpointer(EndpointSettings.model_validate(changes))
    endpointer.begin(0, no_speech_s)
    return endpointer


def tone(level: float, frames: int = 1) -> list[bytes]:
    """Frames of a wave between -`level` and `level`; above 128 its energy has a factor of 1 % or less of rounding."""
    return [array("h", [round(level), round(-level)] * (FRAME // 2)).tobytes()] * frames


@pytest.mark.parametrize(("quieter_db", "is_speech"), [(36, True), (44, False), (54, False)])
def test_forty_decibels_below_the_loudest_is_silence_whatever_the_detector_says(
    quieter_db: float, is_speech: bool
) -> None:
    faint = tone(30_000 / 10 ** (quieter_db / 20), SILENCE_FRAMES)
    made = frames_decided(begun(), [(pcm, 0.9) for pcm in [*tone(30_000, 10), *faint]])
    assert any(isinstance(one, SpeechEnded) for one in made) is not is_speech


def test_the_loudest_is_that_of_this_utterance() -> None:
    endpointer = begun()
    first = [(pcm, 0.9) for pcm in tone(30_000, 10)] + [(bytes(FRAME * 2), 0.0)] * SILENCE_FRAMES
    soft = [(pcm, 0.9) for pcm in tone(150, SILENCE_FRAMES + 5)]
    made = frames_decided(endpointer, first + soft)
    assert [type(one) for one in made] == [SpeechStarted, SpeechEnded, SpeechStarted]


def test_a_word_of_three_frames_is_waited_for_as_long_as_any_other() -> None:
    made = frames_decided(begun(), [(bytes(FRAME * 2), one) for one in [0.9] * 3 + [0.0] * 40])
    assert made[1] == SpeechEnded(0, 3 * FRAME, (3 + SILENCE_FRAMES) * FRAME)


def test_a_word_that_begins_with_two_frames_before_the_deadline_is_heard() -> None:
    deadline = round(5.0 * RATE / FRAME)  # 156.25 frames
    made = frames_decided(begun(), [(bytes(FRAME * 2), one) for one in [0.0] * (deadline - 1) + [0.9] * 5])
    assert made == [SpeechStarted((deadline - 1) * FRAME)]


def test_a_click_at_the_deadline_gets_five_frames_and_no_more() -> None:
    deadline = round(5.0 * RATE / FRAME)
    made = frames_decided(begun(), [(bytes(FRAME * 2), one) for one in [0.0] * deadline + [0.9] + [0.0] * 20])
    [nobody] = [one for one in made if isinstance(one, NobodySpoke)][:1]
    assert deadline * FRAME < nobody.at <= (deadline + 7) * FRAME


# Where the words begin behind a wake word, to the sample: 0.35 s are looked at, in steps of 10 ms.

STEP = RATE // 100


def loud(steps: float, level: int = 8000) -> bytes:
    return array("h", [level, -level] * round(steps * STEP / 2)).tobytes()


@pytest.mark.parametrize("behind", [0, 3, 10, 26])
def test_words_begin_in_the_middle_of_eighty_milliseconds_of_quiet(behind: int) -> None:
    pcm = loud(40) + loud(8, level=20) + loud(behind)
    assert samples_after_wake_word(pcm) == (behind + 4) * STEP


def test_a_pause_at_the_very_beginning_of_what_is_looked_at_counts() -> None:
    assert samples_after_wake_word(loud(40) + loud(8, level=20) + loud(27)) == (27 + 4) * STEP
    # One step earlier, and its quietest 80 ms are out of sight: less than all of them is no pause.
    assert samples_after_wake_word(loud(40) + loud(8, level=2000) + loud(28)) == round(0.18 * RATE)


@pytest.mark.parametrize(("level", "is_pause"), [(500, True), (800, False)])
def test_a_pause_is_less_than_eight_percent_as_loud(level: int, is_pause: bool) -> None:
    pcm = loud(40) + loud(8, level) + loud(10)
    assert (samples_after_wake_word(pcm) == 14 * STEP) is is_pause


def test_of_two_pauses_the_quieter_one_counts() -> None:
    pcm = loud(40) + loud(8, level=300) + loud(9) + loud(8, level=30) + loud(2)
    assert samples_after_wake_word(pcm) == 6 * STEP


def test_with_less_sound_than_the_usual_delay_words_may_begin_with_it() -> None:
    assert samples_after_wake_word(loud(4)) == 4 * STEP
    assert samples_after_wake_word(b"") == 0
    assert samples_after_wake_word(loud(100)) == round(0.18 * RATE) < WAKE_LOOK_BACK


def test_sound_before_what_is_looked_at_is_not_in_the_answer() -> None:
    assert samples_after_wake_word(loud(8, level=1) + loud(60)) == round(0.18 * RATE)


def test_a_frame_is_taken_where_it_stands() -> None:
    endpointer = begun()
    made = [endpointer.feed(AudioFrame(pcm, 7777 + at * FRAME), 0.9) for at, pcm in enumerate(tone(8000, 3))]
    assert made == [None, None, SpeechStarted(7777)]
