"""A filler while an answer is late: in time, never as the answer, never twice in a row, and it does not hear itself."""

from __future__ import annotations

import asyncio

import pytest

from companion.ears.attention import Attention
from companion.errors import CharacterError
from companion.events import LikelyUtterance, NoWords, Partial, SpeechStarted
from tests.support.doubles import CHAR_S, ScriptedCharacter, ScriptedVoice, pass_time
from tests.support.scene import PERSONA, WAKE, Scene, said, scene

pytestmark = pytest.mark.looptime

HMM, WELL = "Hmm, let me think.", "(waves) Well now."
AFTER_S = 1.6


def persona(*fillers: str):  # type: ignore[no-untyped-def]
    lines = PERSONA.lines.model_copy(update={"filler": fillers})
    return PERSONA.model_copy(update={"lines": lines})


def filled(character: ScriptedCharacter, *fillers: str, **settings: object):  # type: ignore[no-untyped-def]
    return scene(character, persona=persona(*fillers or (HMM,)), filler_after_s=AFTER_S, **settings)


async def ask(s: Scene, text: str = "why is the sky blue") -> None:
    s.listener.put(WAKE, SpeechStarted(16000), said(text))
    await s.until("thinking")


async def test_a_late_answer_gets_a_filler_that_is_no_part_of_it() -> None:
    async with filled(ScriptedCharacter([4.0, "Because."])) as s:
        await ask(s)
        await pass_time(AFTER_S - 0.05)
        assert s.speaker.silent
        # Its sound is there already.
        assert s.voice.spoken == [HMM]
        await pass_time(0.1)
        assert not s.speaker.silent
        assert s.notes.of("filler") == [{"text": HMM}]
        assert s.conversation.state == "thinking"
        await s.until("follow_up")
        assert s.notes.of("heard") == [{"text": "Because.", "reason": "finished"}]
        assert s.character.remembered == [("why is the sky blue", "Because.")]
        assert s.turns[0].latency_ms["first_token"] == pytest.approx(4000, abs=5)


async def test_an_answer_in_time_gets_none() -> None:
    async with filled(ScriptedCharacter([1.5, "Because."])) as s:
        await ask(s)
        await s.until("follow_up")
        assert not s.notes.of("filler")


async def test_the_time_counts_from_the_moment_when_it_is_the_character_s_turn() -> None:
    async with filled(ScriptedCharacter([3.0, "Because."])) as s:
        s.listener.put(WAKE, SpeechStarted(16000), LikelyUtterance(said("why")))
        await s.until("listening")
        await pass_time(1.5)
        s.listener.put(said("why"))
        await s.until("speaking")
        assert not s.notes.of("filler")


async def test_an_answer_that_comes_during_a_filler_waits_for_its_rest_only() -> None:
    async with filled(ScriptedCharacter([AFTER_S + 0.2, "Because."])) as s:
        await ask(s)
        await s.until("follow_up")
        at = {kind: t for t, kind, _ in s.notes.notes}
        rest = len(HMM) * CHAR_S - 0.2
        assert at["heard"] - at["first_token"] == pytest.approx(rest + len("Because.") * CHAR_S, abs=0.05)


async def test_never_in_two_answers_in_a_row_and_then_the_next_one() -> None:
    async with filled(ScriptedCharacter([3.0, "Because."]), HMM, WELL) as s:
        for _ in range(4):
            s.listener.put(WAKE, said("why"))
            await s.until("follow_up")
        assert [one["text"] for one in s.notes.of("filler")] == [HMM, WELL]
        # What is acted in it is acted, and not said.
        assert "Well now." in s.voice.spoken
        assert s.notes.of("cue")[0]["gesture"] == "wave"


async def test_a_second_time_its_sound_is_not_made_again() -> None:
    async with filled(ScriptedCharacter([3.0, "Because."])) as s:
        for _ in range(3):
            s.listener.put(WAKE, said("why"))
            await s.until("follow_up")
        assert len(s.notes.of("filler")) == 2
        assert s.voice.spoken.count(HMM) == 1


async def test_words_over_a_filler_take_the_answer_back() -> None:
    async with filled(ScriptedCharacter([3.0, "Because."])) as s:
        await ask(s, "why is")
        await pass_time(AFTER_S + 0.1)
        s.listener.put(SpeechStarted(60000))
        await pass_time(0.05)
        assert s.speaker.paused_at
        s.listener.put(Partial("the sky blue", 64000))
        await s.until("listening")
        assert s.speaker.silent
        s.listener.put(said("the sky blue"))
        await s.until("follow_up")
        assert s.character.remembered == [("why is the sky blue", "Because.")]
        assert len(s.notes.of("filler")) == 1


async def test_its_own_words_in_its_ears_take_nothing_back() -> None:
    async with filled(ScriptedCharacter([3.0, "Because."])) as s:
        await ask(s)
        await pass_time(AFTER_S + 0.1)
        s.listener.put(SpeechStarted(60000), Partial("let me think", 64000), said("let me think"))
        await s.until("follow_up")
        assert s.character.asked == ["why is the sky blue"]


async def test_a_cough_over_a_filler_only_holds_it() -> None:
    async with filled(ScriptedCharacter([3.0, "Because."])) as s:
        await ask(s)
        await pass_time(AFTER_S + 0.1)
        s.listener.put(SpeechStarted(60000))
        await pass_time(0.3)
        s.listener.put(NoWords(64000))
        await s.until("follow_up")
        assert s.character.remembered == [("why is the sky blue", "Because.")]


async def test_it_is_not_said_while_somebody_seems_to_speak() -> None:
    async with filled(ScriptedCharacter([3.0, "Because."])) as s:
        await ask(s)
        await pass_time(1.0)
        s.listener.put(SpeechStarted(60000))
        await pass_time(1.0)
        assert not s.notes.of("filler")
        s.listener.put(NoWords(64000))
        await pass_time(0.01)
        assert len(s.notes.of("filler")) == 1


@pytest.mark.parametrize(("barge_in", "attention"), [("wake", Attention.WAKE), ("speech", Attention.SPEECH)])
async def test_it_is_listened_over_as_over_an_answer(barge_in: str, attention: Attention) -> None:
    async with filled(ScriptedCharacter([3.0, "Because."]), barge_in=barge_in) as s:
        await ask(s)
        assert s.listener.attention == Attention.SPEECH
        await pass_time(AFTER_S + 0.1)
        assert s.listener.attention == attention
        await s.until("follow_up")


async def test_the_wake_word_over_a_filler_ends_it() -> None:
    async with filled(ScriptedCharacter([5.0, "Because."])) as s:
        await ask(s)
        await pass_time(AFTER_S + 0.1)
        s.listener.put(WAKE)
        await s.until("listening")
        await asyncio.sleep(0)
        assert s.speaker.silent


async def test_a_line_of_the_character_s_own_gets_none() -> None:
    async with filled(ScriptedCharacter([CharacterError("It cannot be reached.")])) as s:
        s.voice.takes_s = 3.0
        await ask(s)
        await s.until("follow_up")
        assert not s.notes.of("filler")


async def test_a_voice_that_cannot_say_it_fails_with_the_answer_only() -> None:
    from companion.errors import SpeechError

    async with filled(ScriptedCharacter([3.0, "Because."]), voice=ScriptedVoice(SpeechError("it died"))) as s:
        await ask(s)
        await pass_time(2.5)
        assert not s.notes.of("error")
        s.voice.failure = None
        await s.until("follow_up")
        assert s.character.remembered == [("why is the sky blue", "Because.")]


async def test_without_lines_nothing_is_said() -> None:
    async with scene(ScriptedCharacter([3.0, "Because."]), persona=persona(), filler_after_s=AFTER_S) as s:
        await ask(s)
        await s.until("follow_up")
        assert not s.notes.of("filler")
