"""The listener over time: what it keeps, what it tells on the way, and what changes within a piece of sound."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from companion.ears.attention import Attention
from companion.events import AudioFrame, Hearing, Partial, SpeechStarted, Utterance, WakeHeard
from tests.support.ears import (
    FRAME,
    Scribe,
    Tape,
    VoiceAt,
    WordAt,
    as_a_conversation,
    everything,
    first_of,
    listener,
    sound,
    voiced,
    whole,
    without_partials,
)


class Hours(Tape):
    """Hours of quiet, made while it is heard."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self._frames = frames

    async def frames(self) -> AsyncIterator[AudioFrame]:
        for number in range(self._frames):
            yield AudioFrame(bytes(FRAME * 2), number * FRAME)


@pytest.mark.parametrize("attention", [Attention.WAKE, Attention.WORDS(), Attention.NOTHING])
async def test_a_device_that_listens_for_long_keeps_little(attention: Attention) -> None:
    word = WordAt()
    ears = listener(Hours(4000), VoiceAt(), Scribe(), word)
    ears.listen_for(attention)
    tracemalloc.start()
    try:
        await everything(ears)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Two minutes of sound are 4 MB; a second and a half of it may be kept.
    assert kept < 300_000


async def test_a_guess_says_up_to_where_it_has_heard() -> None:
    scribe = Scribe("a")
    given: list[int] = []

    def note(hearing: Hearing) -> None:
        if isinstance(hearing, Partial):
            given.append(hearing.at - len(scribe.utterances[-1]) // 2)

    ears = listener(Tape(*whole(150, size=700)), VoiceAt(voiced(10, 100)), scribe)
    ears.listen_for(Attention.WORDS())
    await everything(ears, note)
    assert len(given) >= 5
    assert set(given) == {0}


@pytest.mark.looptime
async def test_the_time_that_the_words_took_is_no_time_of_day() -> None:
    await asyncio.sleep(1000)
    ears = listener(Tape(*whole(100)), VoiceAt(voiced(10, 30)), Scribe("hello", takes_s=0.25))
    ears.listen_for(Attention.WORDS())
    (utterance,) = [one for one in await everything(ears) if isinstance(one, Utterance)]
    assert utterance.transcribed_ms == pytest.approx(250)


async def test_a_word_of_one_syllable_said_while_the_button_goes_down_is_heard() -> None:
    scribe = Scribe("go")
    tape = Tape(*whole(50), lambda: ears.push_to_talk(), *whole(150, first_frame=50))
    ears = listener(tape, VoiceAt(voiced(46, 50)), scribe)
    heard = without_partials(await everything(ears, as_a_conversation))
    assert [type(one) for one in heard] == [WakeHeard, SpeechStarted, Utterance]


async def test_words_begin_anew_behind_a_wake_word_though_nobody_asks_for_them_again() -> None:
    scribe = Scribe("tell me a story")
    ears = listener(Tape(*whole(200)), VoiceAt(voiced(10, 100)), scribe, WordAt(50 * FRAME))
    ears.listen_for(Attention.WORDS(8.0))
    heard = without_partials(await everything(ears))
    assert [type(one) for one in heard] == [SpeechStarted, WakeHeard, SpeechStarted, Utterance]
    assert first_of(scribe.utterances[-1]) == pytest.approx(51 * FRAME - 0.18 * 16_000, abs=32)


async def test_asking_for_the_wake_word_right_behind_one_does_not_lose_the_words_that_follow() -> None:
    def react(hearing: Hearing) -> Attention | None:
        if isinstance(hearing, WakeHeard):
            ears.listen_for(Attention.WAKE)
        return as_a_conversation(hearing)

    scribe = Scribe("stop")
    ears = listener(Tape(*whole(100)), VoiceAt(voiced(20, 50)), scribe, WordAt(40 * FRAME))
    heard = without_partials(await everything(ears, react))
    assert [type(one) for one in heard] == [WakeHeard, SpeechStarted, Utterance]


async def test_a_mute_in_the_middle_of_a_piece_of_sound_holds_for_its_rest() -> None:
    def react(hearing: Hearing) -> Attention | None:
        return Attention.NOTHING if isinstance(hearing, SpeechStarted) else None

    word, voice = WordAt(), VoiceAt(voiced(10, 100))
    ears = listener(Tape(sound(0, 60 * FRAME), *whole(100, first_frame=60)), voice, Scribe(), word)
    ears.listen_for(Attention.WORDS())
    assert [type(one) for one in await everything(ears, react)] == [SpeechStarted]
    assert word.examined == []
    assert voice.calls == 13
