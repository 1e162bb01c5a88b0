"""The listener with scripted engines, frame by frame; then with the real ones and a synthetic user."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.ears import transcriber_vosk, vad, wake_word
from companion.ears.attention import Attention
from companion.ears.listener import Listener
from companion.errors import DeviceError, SpeechError
from companion.events import (
    AudioFrame,
    Control,
    Hearing,
    NobodySpoke,
    Partial,
    SpeechStarted,
    Utterance,
    WakeHeard,
)
from tests.support.ears import (
    FRAME,
    PAUSE_FRAMES,
    Scribe,
    Tape,
    VoiceAt,
    WordAt,
    as_a_conversation,
    device,
    everything,
    first_of,
    listener,
    sound,
    voiced,
    whole,
    without_partials,
)
from tests.support.paths import DATA
from tests.support.synthetic_user import RATE, VOICES, room, say, seconds


async def test_a_wake_word_and_a_sentence() -> None:
    scribe = Scribe("what is your name")
    ears = listener(Tape(*whole(150)), VoiceAt(voiced(60, 90)), scribe, WordAt(40 * FRAME))
    heard = await everything(ears, as_a_conversation)
    assert without_partials(heard) == [
        WakeHeard("okay_nabu", 41 * FRAME),
        SpeechStarted(60 * FRAME),
        Utterance(
            "what is your name", 0.9, 60 * FRAME, 90 * FRAME, (90 + PAUSE_FRAMES) * FRAME, heard[-1].transcribed_ms
        ),  # type: ignore[union-attr]
    ]


async def test_all_sound_of_an_utterance_reaches_the_transcriber_once_and_in_order() -> None:
    scribe = Scribe("a")
    ears = listener(Tape(*whole(150, size=333)), VoiceAt(voiced(60, 90)), scribe)
    ears.listen_for(Attention.WORDS())
    await everything(ears)
    first = 60 * FRAME - RATE
    assert scribe.utterances == [sound(first, (90 + PAUSE_FRAMES) * FRAME).pcm]


async def test_partials_tell_what_changed() -> None:
    ears = listener(Tape(*whole(150)), VoiceAt(voiced(10, 100)), Scribe("a"))
    ears.listen_for(Attention.WORDS())
    partials = [hearing for hearing in await everything(ears) if isinstance(hearing, Partial)]
    assert [partial.text.count("word") for partial in partials] == list(range(1, len(partials) + 1))
    assert len(partials) >= 5
    assert [partial.at for partial in partials] == sorted({partial.at for partial in partials})
    # Half a second of sound for the first word, and not more than one piece of delay.
    assert partials[0].at <= RATE // 2 + 4 * FRAME


async def test_words_in_one_breath_with_the_wake_word_are_not_lost() -> None:
    scribe = Scribe("stop")
    ears = listener(Tape(*whole(100)), VoiceAt(voiced(20, 50)), scribe, WordAt(40 * FRAME))
    heard = await everything(ears, as_a_conversation)
    assert [type(hearing) for hearing in without_partials(heard)] == [WakeHeard, SpeechStarted, Utterance]
    # From the usual delay of the recognition (0.18 s) before it, and not the wake word itself.
    assert first_of(scribe.utterances[0]) == pytest.approx(41 * FRAME - 0.18 * RATE, abs=32)


async def test_the_tail_of_the_wake_word_is_not_an_utterance() -> None:
    ears = listener(Tape(*whole(250)), VoiceAt(voiced(20, 43)), Scribe(), WordAt(40 * FRAME))
    heard = await everything(ears, as_a_conversation)
    assert heard == [WakeHeard("okay_nabu", 41 * FRAME), NobodySpoke(198 * FRAME)]


async def test_nobody_speaks_for_the_configured_time() -> None:
    ears = listener(Tape(*whole(400)), VoiceAt(), Scribe())
    ears.listen_for(Attention.WORDS(5.0))
    assert await everything(ears) == [NobodySpoke(157 * FRAME), NobodySpoke((157 + 157) * FRAME)]


async def test_open_listening_waits_for_ever_and_hears_one_utterance_after_another() -> None:
    ears = listener(Tape(*whole(800)), VoiceAt(voiced(400, 420), voiced(600, 620)), Scribe("one", "two"))
    ears.listen_for(Attention.WORDS(math.inf))
    heard = [hearing for hearing in await everything(ears) if isinstance(hearing, Utterance)]
    assert [(utterance.text, utterance.start // FRAME) for utterance in heard] == [("one", 400), ("two", 600)]


async def test_an_utterance_has_no_sound_of_the_one_before() -> None:
    scribe = Scribe("one", "two")
    ears = listener(Tape(*whole(200)), VoiceAt(voiced(40, 60), voiced(90, 110)), scribe)
    ears.listen_for(Attention.WORDS())
    await everything(ears)
    assert first_of(scribe.utterances[1]) == (60 + PAUSE_FRAMES) * FRAME


async def test_sound_without_words_leaves_the_rest_of_the_time() -> None:
    scribe = Scribe("  ", "hello")
    ears = listener(Tape(*whole(150)), VoiceAt(voiced(20, 30), voiced(70, 80)), scribe)
    ears.listen_for(Attention.WORDS(5.0))
    heard = without_partials(await everything(ears))
    assert [type(hearing) for hearing in heard] == [SpeechStarted, SpeechStarted, Utterance]
    ears = listener(Tape(*whole(170)), VoiceAt(voiced(20, 30)), Scribe(""))
    ears.listen_for(Attention.WORDS(5.0))
    assert (await everything(ears))[-1] == NobodySpoke(157 * FRAME)
    # Its end comes after the time is over: told at once.
    ears = listener(Tape(*whole(200)), VoiceAt(voiced(150, 160)), Scribe(""))
    ears.listen_for(Attention.WORDS(5.0))
    assert (await everything(ears))[-1] == NobodySpoke((160 + PAUSE_FRAMES) * FRAME)


async def test_the_devices_own_voice_before_the_follow_up_is_not_transcribed() -> None:
    scribe = Scribe("yes")
    tape = Tape(*whole(100), lambda: ears.listen_for(Attention.WORDS(8.0)), *whole(200, first_frame=100))
    ears = listener(tape, VoiceAt(voiced(0, 100), voiced(110, 130)), scribe, WordAt())
    await everything(ears)
    assert first_of(scribe.utterances[0]) == 100 * FRAME


async def test_a_wake_that_was_not_answered_is_soon_forgotten() -> None:
    scribe = Scribe("yes")
    tape = Tape(*whole(100), lambda: ears.listen_for(Attention.WORDS(8.0)), *whole(200, first_frame=100))
    ears = listener(tape, VoiceAt(voiced(0, 100), voiced(110, 130)), scribe, WordAt(60 * FRAME))
    await everything(ears)
    assert first_of(scribe.utterances[0]) == 100 * FRAME


async def test_idle_runs_the_wake_word_only() -> None:
    voice, word = VoiceAt(voiced(0, 100)), WordAt()
    assert await everything(listener(Tape(*whole(100)), voice, Scribe(), word)) == []
    assert voice.calls == 0
    assert word.examined == [at * FRAME for at in range(100)]


async def test_nothing_is_kept_or_examined_when_muted() -> None:
    word, voice, scribe = WordAt(50 * FRAME), VoiceAt(voiced(0, 130)), Scribe("after")
    examined = []

    def unmute() -> None:
        examined.append((list(word.examined), voice.calls))
        ears.inject(Control("unmute"))

    tape = Tape(*whole(100), unmute, *whole(200, first_frame=100))
    ears = listener(tape, voice, scribe, word)
    ears.listen_for(Attention.NOTHING)
    heard = await everything(ears, lambda one: Attention.WORDS() if isinstance(one, Control) else None)
    assert examined == [([], 0)]
    assert [type(hearing) for hearing in without_partials(heard)] == [Control, SpeechStarted, Utterance]
    assert first_of(scribe.utterances[0]) == 100 * FRAME


async def test_muting_drops_the_words_that_are_being_said() -> None:
    scribe = Scribe()
    tape = Tape(*whole(40), lambda: ears.listen_for(Attention.NOTHING), *whole(100, first_frame=40))
    ears = listener(tape, VoiceAt(voiced(10, 100)), scribe)
    ears.listen_for(Attention.WORDS())
    assert without_partials(await everything(ears)) == [SpeechStarted(10 * FRAME)]
    assert scribe.cancelled == 1
    assert len(scribe.utterances[0]) <= 40 * FRAME * 2


async def test_muting_while_the_words_are_being_found_drops_them() -> None:
    scribe = Scribe("a secret")
    ears = listener(Tape(*whole(100)), VoiceAt(voiced(10, 30)), scribe)
    scribe.finishing = lambda: ears.listen_for(Attention.NOTHING)
    ears.listen_for(Attention.WORDS())
    assert [type(hearing) for hearing in without_partials(await everything(ears))] == [SpeechStarted]


async def test_words_that_began_before_the_mute_are_gone_after_it() -> None:
    scribe = Scribe("new")
    tape = Tape(
        *whole(40),
        lambda: ears.listen_for(Attention.NOTHING),
        lambda: ears.listen_for(Attention.WORDS()),
        *whole(100, first_frame=40),
    )
    ears = listener(tape, VoiceAt(voiced(10, 60)), scribe)
    ears.listen_for(Attention.WORDS())
    (utterance,) = [one for one in await everything(ears) if isinstance(one, Utterance)]
    assert utterance.start == 40 * FRAME
    assert first_of(scribe.utterances[1]) == 40 * FRAME


async def test_stop_words_are_live_while_an_answer_is_made_or_said_and_in_what_is_said_over_it() -> None:
    word, answering = WordAt(), False

    def answer(*, begins: bool) -> None:
        nonlocal answering
        answering = begins

    tape = Tape(
        *whole(20),
        lambda: answer(begins=True),
        *whole(30, first_frame=20),
        lambda: ears.listen_for(Attention.SPEECH),
        *whole(40, first_frame=30),
        # What is said over it has ended the answer, and goes on.
        lambda: answer(begins=False),
        *whole(50, first_frame=40),
        lambda: ears.listen_for(Attention.WAKE),
        *whole(60, first_frame=50),
    )
    ears = Listener(tape, word, VoiceAt(), Scribe(), device().ears, is_speaking=lambda: answering)
    await everything(ears)
    assert word.over_answer == [at * FRAME for at in range(20, 50)]


async def test_asking_for_the_wake_word_again_changes_nothing() -> None:
    tape = Tape(*whole(40), lambda: ears.listen_for(Attention.WAKE), *whole(100, first_frame=40))
    scribe = Scribe("hello")
    ears = listener(tape, VoiceAt(voiced(30, 60)), scribe, WordAt(42 * FRAME))
    heard = await everything(ears, as_a_conversation)
    assert [type(one) for one in without_partials(heard)] == [WakeHeard, SpeechStarted, Utterance]
    assert first_of(scribe.utterances[0]) < 40 * FRAME


async def test_a_wake_word_among_words_begins_them_anew() -> None:
    scribe = Scribe("tell me a story")
    ears = listener(Tape(*whole(200)), VoiceAt(voiced(10, 100)), scribe, WordAt(50 * FRAME))
    ears.listen_for(Attention.WORDS(8.0))
    heard = without_partials(await everything(ears, as_a_conversation))
    assert [type(one) for one in heard] == [SpeechStarted, WakeHeard, SpeechStarted, Utterance]
    assert scribe.cancelled == 1
    assert first_of(scribe.utterances[1]) == pytest.approx(51 * FRAME - 0.18 * RATE, abs=32)


async def test_the_button_wakes_even_when_muted_and_without_a_wake_word() -> None:
    scribe = Scribe("go left")
    tape = Tape(*whole(50), lambda: ears.push_to_talk(), *whole(150, first_frame=50))
    ears = listener(tape, VoiceAt(voiced(46, 80)), scribe)
    ears.listen_for(Attention.NOTHING)
    heard = without_partials(await everything(ears, as_a_conversation))
    assert heard[0] == WakeHeard("button", 50 * FRAME)
    assert [type(one) for one in heard[1:]] == [SpeechStarted, Utterance]
    assert first_of(scribe.utterances[0]) == 50 * FRAME


async def test_words_may_begin_a_little_before_the_button() -> None:
    scribe = Scribe("go left")
    tape = Tape(*whole(50), lambda: ears.push_to_talk(), *whole(150, first_frame=50))
    ears = listener(tape, VoiceAt(voiced(46, 80)), scribe)
    heard = without_partials(await everything(ears, as_a_conversation))
    assert heard[1] == SpeechStarted(46 * FRAME)
    assert first_of(scribe.utterances[0]) == pytest.approx(50 * FRAME - RATE / 4, abs=32)


async def test_the_end_of_a_file_ends_the_utterance() -> None:
    ears = listener(Tape(*whole(50)), VoiceAt(voiced(20, 45)), Scribe("goodbye"))
    ears.listen_for(Attention.WORDS())
    utterance = (await everything(ears))[-1]
    assert isinstance(utterance, Utterance)
    assert (utterance.text, utterance.end, utterance.decided) == ("goodbye", 45 * FRAME, 50 * FRAME)


async def test_the_end_of_a_file_after_the_attention_turned_away_ends_nothing() -> None:
    tape = Tape(*whole(49), lambda: ears.listen_for(Attention.WAKE))
    ears = listener(tape, VoiceAt(voiced(20, 45)), Scribe())
    ears.listen_for(Attention.WORDS())
    assert [type(one) for one in without_partials(await everything(ears))] == [SpeechStarted]


async def test_a_failing_transcriber_is_told_and_hearing_goes_on() -> None:
    scribe = Scribe(SpeechError("no"), "again")
    tape = Tape(*whole(200))
    ears = listener(tape, VoiceAt(voiced(20, 40), voiced(100, 120)), scribe)
    ears.listen_for(Attention.WORDS())
    with pytest.raises(SpeechError):
        await everything(ears)
    assert scribe.cancelled == 1
    heard = await everything(ears)
    assert isinstance(heard[-1], Utterance)
    assert heard[-1].start == 100 * FRAME
    assert tape.openings == 1


async def test_the_switches_work_while_the_microphone_is_away() -> None:
    ears = listener(Tape(DeviceError("gone"), DeviceError("still gone")), VoiceAt(), Scribe())
    heard: list[Hearing] = []

    async def hear() -> None:
        async for one in ears.hear():
            heard.append(one)

    for action in (Control("mute"), Control("stop")):
        ears.inject(action)
        with pytest.raises(DeviceError, match="gone"):
            await hear()
        assert heard.pop() == action
        assert heard == []


async def test_a_lost_microphone_is_told_and_opened_again() -> None:
    scribe = Scribe("again")
    tape = Tape(*whole(40), DeviceError("gone"), *whole(100))
    ears = listener(tape, VoiceAt(voiced(20, 60)), scribe)
    ears.listen_for(Attention.WORDS())
    with pytest.raises(DeviceError):
        await everything(ears)
    assert scribe.cancelled == 1
    heard = await everything(ears)
    assert tape.openings == 2
    assert isinstance(heard[-1], Utterance)
    # Nothing of the sound before the loss is left in it.
    assert scribe.utterances[1] == sound(0, (60 + PAUSE_FRAMES) * FRAME).pcm


async def test_a_listener_that_is_stopped_drops_its_words() -> None:
    scribe = Scribe()
    ears = listener(Tape(*whole(100)), VoiceAt(voiced(10, 100)), scribe)
    ears.listen_for(Attention.WORDS())
    hearings = ears.hear()
    while not isinstance(await anext(hearings), Partial):
        pass
    await hearings.aclose()  # type: ignore[attr-defined]  # an async generator
    assert scribe.cancelled == 1


async def test_lost_sound_moves_the_positions_and_does_not_end_the_utterance() -> None:
    scribe = Scribe("hello")
    tape = Tape(*whole(30), *whole(150, first_frame=60))
    ears = listener(tape, VoiceAt(voiced(10, 30), voiced(60, 80)), scribe)
    ears.listen_for(Attention.WORDS())
    utterance = (await everything(ears))[-1]
    assert isinstance(utterance, Utterance)
    assert (utterance.start, utterance.end) == (10 * FRAME, 80 * FRAME)
    assert len(scribe.utterances[0]) == (30 + 20 + PAUSE_FRAMES) * FRAME * 2


@pytest.mark.looptime
async def test_the_time_that_the_words_took_is_told() -> None:
    ears = listener(Tape(*whole(100)), VoiceAt(voiced(10, 30)), Scribe("hello", takes_s=0.25))
    ears.listen_for(Attention.WORDS())
    (utterance,) = [one for one in await everything(ears) if isinstance(one, Utterance)]
    assert utterance.transcribed_ms == pytest.approx(250)


@given(
    st.lists(st.integers(50, 3000), min_size=1),
    st.lists(st.tuples(st.integers(0, 150), st.integers(1, 40)), max_size=4),
    st.lists(st.integers(0, 150), max_size=2),
)
@settings(max_examples=30, deadline=None)
def test_how_the_sound_is_cut_changes_nothing(
    sizes: list[int], speech: list[tuple[int, int]], words: list[int]
) -> None:
    def heard_in(pieces: list[AudioFrame]) -> tuple[list[Any], list[bytes]]:
        scribe = Scribe(*["text"] * 10)
        voice = VoiceAt(*[voiced(first, first + length) for first, length in speech])
        ears = listener(Tape(*pieces), voice, scribe, WordAt(*[at * FRAME for at in words]))
        heard = asyncio.run(everything(ears, as_a_conversation))
        told = [
            (one.text, one.start, one.end, one.decided) if isinstance(one, Utterance) else one
            for one in without_partials(heard)
        ]
        return told, scribe.utterances

    end = 200 * FRAME
    cut: list[int] = []
    at = 0
    while at < end:
        at += sizes[len(cut) % len(sizes)]
        cut.append(min(at, end))
    pieces = [sound(first, last) for first, last in zip([0, *cut], cut, strict=False)]
    assert heard_in(pieces) == heard_in(whole(200))


# The real engines.

VOSK_TINY = DATA / "vosk-tiny"


async def hear_for_real(pcm: bytes, attention: Attention | None = None, wake: str = "okay_nabu") -> list[Hearing]:
    settings = device(wake=wake, transcriber={"model": str(VOSK_TINY)})
    nobody: Any = None
    transcriber = transcriber_vosk.build(settings, nobody)
    size = 320
    tape = Tape(*[AudioFrame(pcm[at * 2 : (at + size) * 2], at) for at in range(0, len(pcm) // 2, size)])
    ears = Listener(
        tape,
        wake_word.build(settings, nobody),
        vad.build(settings, nobody),
        transcriber,
        settings.ears,
    )
    if attention is not None:
        ears.listen_for(attention)
    try:
        return without_partials(await everything(ears, as_a_conversation))
    finally:
        await transcriber.close()


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("pause", [0.1, 1.0])
@pytest.mark.parametrize("words", ["what is your name", "stop"])
async def test_what_is_said_behind_the_wake_word_is_heard_exactly(voice: str, pause: float, words: str) -> None:
    wake, speech = say("okay nabu", voice), say(words, voice)
    heard = await hear_for_real(room(1.0, wake, pause, speech, 1.5))
    assert [type(one) for one in heard] == [WakeHeard, SpeechStarted, Utterance]
    utterance = heard[-1]
    assert isinstance(utterance, Utterance)
    assert utterance.text == words
    assert utterance.end / RATE == pytest.approx(1.0 + seconds(wake) + pause + seconds(speech), abs=0.2)
    assert 0.15 <= (utterance.decided - utterance.end) / RATE < 0.2


@pytest.mark.parametrize("voice", ["en", "en-us", "en+f3", "en-us+m3"])
async def test_what_is_said_in_one_breath_with_the_wake_word_is_heard_exactly(voice: str) -> None:
    heard = await hear_for_real(room(1.0, say("okay nabu what is your name", voice), 1.5))
    assert [getattr(one, "text", None) for one in heard] == [None, None, "what is your name"]


@pytest.mark.parametrize("voice", VOICES)
async def test_the_wake_word_alone_is_no_utterance(voice: str) -> None:
    heard = await hear_for_real(room(1.0, say("okay nabu", voice), 6.5))
    assert [type(one) for one in heard] == [WakeHeard, NobodySpoke]


async def test_the_wake_word_is_cut_off_where_none_was_needed() -> None:
    pcm = room(1.0, say("okay nabu"), 0.2, say("tell me a joke"), 1.5)
    heard = await hear_for_real(pcm, Attention.WORDS(8.0))
    assert [one.text for one in heard if isinstance(one, Utterance)] == ["tell me a joke"]
