"""Pauses within what somebody says: the words so far are told at once, those behind the pause are joined to them."""

from __future__ import annotations

from typing import Any

import pytest

from companion.ears.attention import Attention
from companion.ears.endpointing import Endpointer, SpeechEnded, SpeechPaused
from companion.ears.listener import Listener
from companion.events import (
    AudioFrame,
    Hearing,
    LikelyUtterance,
    NobodySpoke,
    NoWords,
    Partial,
    SpeechResumed,
    SpeechStarted,
    Utterance,
    WakeHeard,
)
from tests.support.ears import (
    FRAME,
    PAUSE_FRAMES,
    SILENCE_FRAMES,
    Scribe,
    Tape,
    VoiceAt,
    WordAt,
    device,
    everything,
    listener,
    sound,
    voiced,
    whole,
)


def decided(probabilities: list[float], needed_s: float = 0.7) -> list[Any]:
    """What an endpointer decides; at each pause it is told how long that one must be."""
    endpointer = Endpointer(device(endpoint={}).ears.endpoint)
    endpointer.begin(0, 60.0)
    made = []
    for at, probability in enumerate(probabilities):
        decision = endpointer.feed(AudioFrame(bytes(FRAME * 2), at * FRAME), probability)
        if decision is not None:
            made.append(decision)
        if type(decision) is SpeechPaused:
            endpointer.wait_for(needed_s)
    return made


@pytest.mark.parametrize(("needed_s", "frames"), [(0.35, 11), (0.7, 22), (1.5, 47)])
def test_the_pause_that_ends_an_utterance_is_as_long_as_its_words_ask_for(needed_s: float, frames: int) -> None:
    assert decided([0.9] * 20 + [0.0] * 60, needed_s) == [
        SpeechStarted(0),
        SpeechPaused(0, 20 * FRAME, (20 + PAUSE_FRAMES) * FRAME),
        SpeechEnded(0, 20 * FRAME, (20 + frames) * FRAME),
    ]


def test_speech_goes_on_where_as_much_of_it_is_heard_as_begins_any() -> None:
    made = decided([0.9] * 20 + [0.0] * 10 + [0.9] * 10 + [0.0] * 30)
    assert [type(one) for one in made] == [SpeechStarted, SpeechPaused, SpeechResumed, SpeechPaused, SpeechEnded]
    assert made[2] == SpeechResumed(30 * FRAME)
    assert made[-1] == SpeechEnded(0, 40 * FRAME, (40 + SILENCE_FRAMES) * FRAME)


def test_a_click_in_the_pause_neither_goes_on_nor_makes_the_utterance_longer() -> None:
    made = decided([0.9] * 20 + [0.0] * 10 + [0.9, 0.9] + [0.0] * 30)
    assert made[-1] == SpeechEnded(0, 20 * FRAME, (20 + SILENCE_FRAMES) * FRAME)


def test_what_may_become_a_word_at_the_end_of_the_pause_is_waited_for() -> None:
    made = decided([0.9] * 20 + [0.0] * (SILENCE_FRAMES - 1) + [0.9] * 3)
    assert [type(one) for one in made] == [SpeechStarted, SpeechPaused, SpeechResumed]


def test_a_ticking_clock_does_not_keep_the_pause_from_ending() -> None:
    made = decided([0.9] * 20 + [0.0, 0.0, 0.0, 0.0, 0.0, 0.9] * 20)
    assert isinstance(made[-1], SpeechEnded)
    assert made[-1].decided <= (20 + SILENCE_FRAMES + 6) * FRAME


async def heard(ears: Listener, attention: Attention | None = None) -> list[Hearing]:
    ears.listen_for(attention or Attention.WORDS())
    return [one for one in await everything(ears) if not isinstance(one, Partial)]


async def test_the_words_of_a_pause_are_told_before_it_is_over() -> None:
    said = await heard(listener(Tape(*whole(100)), VoiceAt(voiced(10, 30)), Scribe("good morning")))
    assert [type(one) for one in said] == [SpeechStarted, LikelyUtterance, Utterance]
    likely, utterance = said[1:]
    assert isinstance(likely, LikelyUtterance)
    assert likely.utterance == utterance
    assert isinstance(utterance, Utterance)
    assert utterance.ended == (30 + SILENCE_FRAMES) * FRAME
    assert likely.utterance.text == "good morning"


async def test_what_follows_a_pause_is_joined_to_what_was_before() -> None:
    scribe = Scribe("turn on", "the light", "please")
    voice = VoiceAt(voiced(10, 30), voiced(40, 60), voiced(72, 90))
    said = await heard(listener(Tape(*whole(150)), voice, scribe))
    assert [type(one) for one in said] == [
        *(SpeechStarted, LikelyUtterance, SpeechResumed, LikelyUtterance, SpeechResumed, LikelyUtterance, Utterance)
    ]
    assert [one.utterance.text for one in said if isinstance(one, LikelyUtterance)] == [
        *("turn on", "turn on the light", "turn on the light please")
    ]
    assert isinstance(said[-1], Utterance)
    assert (said[-1].text, said[-1].start, said[-1].end) == ("turn on the light please", 10 * FRAME, 90 * FRAME)


async def test_partials_behind_a_pause_hold_the_words_before_it() -> None:
    ears = listener(Tape(*whole(150)), VoiceAt(voiced(10, 30), voiced(40, 100)), Scribe("one", "two"))
    ears.listen_for(Attention.WORDS())
    partials = [one.text for one in await everything(ears) if isinstance(one, Partial)]
    assert partials[-1].startswith("one word word")


async def test_no_sound_is_lost_or_given_twice_at_a_pause() -> None:
    scribe = Scribe("one", "two")
    await heard(listener(Tape(*whole(100)), VoiceAt(voiced(10, 30), voiced(41, 60)), scribe))
    assert b"".join(scribe.utterances) == sound(0, (60 + PAUSE_FRAMES) * FRAME).pcm


async def test_a_noise_behind_the_words_changes_nothing_of_them() -> None:
    said = await heard(listener(Tape(*whole(100)), VoiceAt(voiced(10, 30), voiced(40, 44)), Scribe("hello", "")))
    assert [one.text for one in said if isinstance(one, Utterance)] == ["hello"]


async def test_a_cough_is_told_as_such_at_once_and_its_sound_is_kept_for_the_words_behind_it() -> None:
    scribe = Scribe("", "good morning")
    said = await heard(listener(Tape(*whole(100)), VoiceAt(voiced(10, 14), voiced(26, 50)), scribe))
    assert said[:2] == [SpeechStarted(10 * FRAME), NoWords((14 + PAUSE_FRAMES) * FRAME)]
    assert [one.text for one in said if isinstance(one, Utterance)] == ["good morning"]
    assert scribe.utterances[1] == sound(0, (50 + PAUSE_FRAMES) * FRAME).pcm


async def test_a_cough_leaves_the_rest_of_the_time_to_speak() -> None:
    ears = listener(Tape(*whole(200)), VoiceAt(voiced(20, 24)), Scribe(""))
    said = await heard(ears, Attention.WORDS(5.0))
    assert said[-1] == NobodySpoke(157 * FRAME)


async def test_the_words_decide_how_long_the_pause_must_be() -> None:
    tape = Tape(*whole(200))
    asked = []

    def pause_after(words: str) -> float:
        asked.append(words)
        return 1.5 if words.endswith("and") else 0.35

    scribe = Scribe("apples and", "pears")
    ears = Listener(tape, None, VoiceAt(voiced(10, 30), voiced(75, 90)), scribe, device().ears, pause_after)
    said = await heard(ears)
    assert asked == ["apples and", "apples and pears"]
    assert [one.text for one in said if isinstance(one, Utterance)] == ["apples and pears"]


@pytest.mark.parametrize(
    ("first", "second", "whole_text"),
    [
        ("你可以叫我", "Anna", "你可以叫我Anna"),
        ("我 喜欢", "苹果", "我 喜欢苹果"),
        ("公園に", "行った", "公園に行った"),
        ("공원에", "갔어", "공원에 갔어"),
    ],
)
async def test_pieces_are_joined_as_their_language_is_written(first: str, second: str, whole_text: str) -> None:
    """A name behind a blank would not be found ("call me Anna")."""
    said = await heard(listener(Tape(*whole(100)), VoiceAt(voiced(10, 30), voiced(41, 60)), Scribe(first, second)))
    assert [one.text for one in said if isinstance(one, Utterance)] == [whole_text]


async def test_over_an_answer_only_a_person_is_heard() -> None:
    def is_person(frame: AudioFrame) -> bool:
        return frame.start >= 60 * FRAME

    voice = VoiceAt(voiced(10, 30), voiced(62, 80))
    ears = Listener(Tape(*whole(150)), None, voice, Scribe("stop"), device().ears, is_person=is_person)
    assert (await heard(ears, Attention.SPEECH))[0] == SpeechStarted(62 * FRAME)
    # The same behind an answer, whose end is still in the room.
    ears = Listener(Tape(*whole(150)), None, voice, Scribe("stop"), device().ears, is_person=is_person)
    assert (await heard(ears))[0] == SpeechStarted(62 * FRAME)


async def test_to_listen_over_an_answer_again_does_not_drop_the_words_that_are_said_over_it() -> None:
    tape = Tape(*whole(30), lambda: ears.listen_for(Attention.SPEECH), *whole(100, first_frame=30))
    ears = listener(tape, VoiceAt(voiced(10, 50)), Scribe("wait a moment"))
    assert [one.text for one in await heard(ears, Attention.SPEECH) if isinstance(one, Utterance)] == ["wait a moment"]


async def test_a_wake_word_is_heard_over_an_answer_too() -> None:
    ears = listener(Tape(*whole(100)), VoiceAt(), Scribe(), WordAt(50 * FRAME))
    assert await heard(ears, Attention.SPEECH) == [WakeHeard("okay_nabu", 51 * FRAME)]
