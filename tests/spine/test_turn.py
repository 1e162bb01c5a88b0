"""One reply, from text to moved air, seen from outside: what is said when, what the body does, and what is noted."""

from __future__ import annotations

import asyncio
from time import process_time

import pytest

from companion.errors import CharacterError, CompanionError, DeviceError, SpeechError
from companion.events import Control
from companion.sound.pcm import earcon
from tests.support.doubles import RATE, ScriptedCharacter, ScriptedVoice, pass_time
from tests.support.scene import PERSONA, WAKE, said, scene

pytestmark = pytest.mark.looptime


async def test_what_came_before_the_stream_broke_is_still_said_and_remembered() -> None:
    async with scene(ScriptedCharacter(["Once upon a time. And then", CharacterError("reset")])) as s:
        s.listener.put(WAKE, said("a story"))
        await s.until("follow_up")
        assert s.voice.spoken[:2] == ["Once upon a time.", "And then"]
        assert s.character.remembered == [("a story", "Once upon a time. And then")]


async def test_a_broken_voice_ends_the_turn_with_a_sound() -> None:
    async with scene(voice=ScriptedVoice(SpeechError("the voice died"))) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert s.speaker.position() == len(earcon(RATE)) // 2
        assert s.character.remembered == [("hi", "")]


async def test_a_hanging_voice_cannot_hold_the_state() -> None:
    async with scene(voice=ScriptedVoice(hangs=True)) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("thinking")
        began = asyncio.get_running_loop().time()
        await s.until("follow_up")
        assert asyncio.get_running_loop().time() - began < 35


async def test_an_answer_that_never_becomes_speech_is_given_up() -> None:
    drip: list[str | float | CompanionError] = ["(she thinks", *[part for _ in range(99) for part in (1.0, " and")]]
    async with scene(ScriptedCharacter(drip)) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("thinking")
        began = asyncio.get_running_loop().time()
        await s.until("speaking")
        assert asyncio.get_running_loop().time() - began < 16
        assert s.voice.spoken[0] in PERSONA.lines.failed[0]


async def test_an_answer_without_an_end_is_given_up_half_a_minute_after_its_first_sound() -> None:
    async with scene(ScriptedCharacter(["One two three four five six seven. "] * 99)) as s:
        s.listener.put(WAKE, said("a story"))
        await s.until("follow_up")
        began, ended = (next(t for t, kind, _ in s.notes.notes if kind == wanted) for wanted in ("speaking", "heard"))
        assert ended - began == pytest.approx(30, abs=0.1)
        assert s.notes.of("heard")[0]["reason"] == "failed"
        assert s.notes.of("heard")[1]["text"] == PERSONA.lines.failed[0]


async def test_a_long_story_is_not_cut_by_the_limit_on_silence() -> None:
    async with scene(ScriptedCharacter(["One two three four five six seven. "] * 12)) as s:
        s.listener.put(WAKE, said("a story"))
        await s.until("follow_up")
        assert s.notes.of("heard")[0]["reason"] == "finished"


async def test_cues_are_acted_when_their_word_is_heard() -> None:
    async with scene(ScriptedCharacter(["(waves) Hello my friend. Here I am, (nods) you see."])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        heard_from = next(t for t, kind, _ in s.notes.notes if kind == "speaking")
        cues = [(t - heard_from, fields["gesture"]) for t, kind, fields in s.notes.notes if kind == "cue"]
        assert [gesture for _, gesture in cues] == ["wave", "nod"]
        assert cues[0][0] < 0.05
        [turn] = s.turns
        assert turn.latency_ms["first_cue"] == pytest.approx(cues[0][0] * 1000, abs=1)
        stages = [ms for stage, ms in turn.latency_ms.items() if stage not in ("first_cue", "total")]
        assert turn.latency_ms["total"] == pytest.approx(sum(stages), abs=0.1)
        # "Hello my friend." is 16 characters, "Here I am," 10 and the space before "you" one more.
        assert abs(cues[1][0] - 27 * 0.05) < 0.15
        assert "waves" not in " ".join(s.voice.spoken)


async def test_the_latency_of_every_stage_is_told() -> None:
    async with scene(ScriptedCharacter([0.2, "Hello. ", 0.1, "Bye."])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        [turn] = s.notes.of("turn")
        latency = turn["latency_ms"]
        assert list(latency) == [
            "endpoint",
            "transcribe",
            "request",
            "first_token",
            "first_sentence",
            "ready",
            "allowed",
            "first_sound",
            "total",
        ]
        assert latency["endpoint"] == pytest.approx(700)
        assert latency["transcribe"] == pytest.approx(12)
        assert latency["first_token"] == pytest.approx(200, abs=10)
        assert latency["total"] == pytest.approx(sum(v for k, v in latency.items() if k != "total"), abs=0.1)


async def test_a_sentence_is_said_before_it_is_known_that_another_follows() -> None:
    async with scene(ScriptedCharacter(["I know that song well.", 5.0, " Sing it with me."])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("thinking")
        await s.until("speaking", within_s=0.1)
        assert s.voice.spoken == ["I know that song well."]


async def test_no_more_is_made_of_a_long_answer_than_will_soon_be_heard() -> None:
    """What nobody hears, because they interrupt, must not cost heat, memory or tokens."""
    async with scene(ScriptedCharacter(["One two three four five. "] * 60)) as s:
        s.listener.put(WAKE, said("a story"))
        await s.until("speaking")
        await pass_time(0.5)
        assert len(s.voice.spoken) <= 6
        assert s.character.given <= 20


@pytest.mark.parametrize("answer", ["*waves*", ".", "😀", " \n", "(waves) (nods)", '"..."', ""])
async def test_an_answer_with_nothing_to_say_is_not_silence(answer: str) -> None:
    async with scene(ScriptedCharacter([answer])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == PERSONA.lines.failed[0]
        assert [(one["code"], one["sentence"]) for one in s.notes.of("error")] == [
            ("character", "There was nothing to say in the character's answer.")
        ]
        assert s.character.remembered == [("hi", "")]


async def test_an_answer_all_in_brackets_is_said_without_them() -> None:
    async with scene(ScriptedCharacter(["(Come in! ", "I was waiting for you.)"])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == "Come in! I was waiting for you."
        assert s.notes.of("error") == []


@pytest.mark.parametrize("unit", ["(", "word ", "*a "])
async def test_a_giant_delta_does_not_keep_a_mute_waiting(unit: str) -> None:
    async with scene(ScriptedCharacter([unit * (3_000_000 // len(unit))])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("thinking")
        began = process_time()
        s.listener.put(Control("mute"))
        await s.until("muted")
        assert process_time() - began < 1


async def test_a_direction_at_the_very_end_is_acted() -> None:
    async with scene(ScriptedCharacter(["See you then. (waves)"])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert "wave" in [name for name, _ in s.performer.acted]


async def test_a_direction_and_an_emoji_that_mean_the_same_are_acted_once() -> None:
    async with scene(ScriptedCharacter(["(smiles) 😊 Hello my friend."])) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert [name for name, _ in s.performer.acted].count("happy") == 1


async def test_the_mouth_shuts_where_the_loudspeaker_is_lost_in_the_middle_of_a_word() -> None:
    async with scene() as s:
        s.conversation.announce("One two three four five six seven eight.")
        await s.until("speaking")
        await pass_time(1.0)
        assert s.performer.opening > 0
        s.speaker.failure = DeviceError("it was unplugged")
        await s.until("follow_up")
        assert s.performer.opening == 0.0
