"""The talk under a policy: it says what it is, ends when the time is over, and lets everybody go at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from companion.config.policy import load_policy
from companion.ears.attention import Attention
from companion.events import LikelyUtterance, NobodySpoke, Partial, SpeechStarted
from companion.guard.limits import Moment
from companion.guardian import Guardian
from companion.languages.language import language
from companion.owner_settings import Consent, OwnerSettings
from companion.talk_time import TalkTime
from tests.support.doubles import ScriptedCharacter, pass_time
from tests.support.scene import PERSONA, WAKE, Scene, said, scene

pytestmark = pytest.mark.looptime

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LINES = PERSONA.lines.model_copy(
    update={
        "ai": ("(waves) I am a toy with a computer in me!",),
        "reminder": ("Still a toy with a computer in me!",),
        "pause": ("Let's take a break now.",),
        "resting": ("We have a break.",),
        "day_over": ("That was all for today.",),
        "bedtime": ("It is bedtime.",),
        "goodbye": ("Bye!",),
    }
)
TEDDY = PERSONA.model_copy(update={"lines": LINES})
AI = "I am a toy with a computer in me!"
ANSWER = ["Hello.", "How are you?"]


def guardian(begin: datetime = NOON, owner: Callable[[], OwnerSettings] = OwnerSettings, **rules: Any) -> Guardian:
    """Of a child's policy without the daily truth, with `rules` over it."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    time = TalkTime(lambda: Moment(loop.time(), begin + timedelta(seconds=loop.time() - start)), owner)
    usual = {"truth.says_it_is_ai": "asked", "time.bedtime": "", "truth.reminder_minutes": None}
    policy = load_policy("child", usual | {name.replace("__", "."): value for name, value in rules.items()})
    return Guardian(policy, TEDDY, talk_time=time)


async def ask(s: Scene, words: str, *, wake: bool = True) -> None:
    if wake:
        s.listener.put(WAKE)
        await s.until("listening")
    s.listener.put(said(words))
    await s.until("speaking")


async def test_it_says_what_it_is_at_the_first_talk_of_a_day() -> None:
    async with scene(persona=TEDDY, guardian=guardian(truth__says_it_is_ai="daily")) as s:
        await ask(s, "hello")
        await s.until("follow_up")
        await ask(s, "and now?", wake=False)
        await s.until("follow_up")
        assert s.voice.spoken == [AI, *ANSWER, *ANSWER]
        s.listener.put(NobodySpoke(16000))
        await s.until("idle")
        await pass_time(86400)
        await ask(s, "good morning to you")
        await s.until("follow_up")
        assert s.voice.spoken[5:] == [AI, *ANSWER]


async def test_the_truth_is_heard_while_the_answer_is_made() -> None:
    character = ScriptedCharacter([2.0, "Hello."])
    async with scene(character, persona=TEDDY, guardian=guardian(truth__says_it_is_ai="daily")) as s:
        await ask(s, "hello")
        await s.until("follow_up")
        latency = s.turns[-1].latency_ms
        assert latency["first_token"] + latency["first_sentence"] + latency["first_sound"] < 100
        assert character.asked == ["hello"]


async def test_who_did_not_hear_it_out_is_told_again() -> None:
    async with scene(persona=TEDDY, guardian=guardian(truth__says_it_is_ai="daily")) as s:
        await ask(s, "hello")
        await pass_time(0.3)
        await ask(s, "hello again")
        await s.until("follow_up")
        assert s.voice.spoken[-3:] == [AI, *ANSWER]


async def test_whoever_says_their_name_amid_a_talk_has_heard_it_and_a_second_child_has_not() -> None:
    async with scene(persona=TEDDY, guardian=guardian(truth__says_it_is_ai="daily")) as s:
        await ask(s, "I'm Ana")
        s.character.person = "Ana"
        await s.until("follow_up")
        await ask(s, "tell me more", wake=False)
        await s.until("follow_up")
        s.listener.put(NobodySpoke(16000))
        await s.until("idle")
        assert s.voice.spoken.count(AI) == 1
        s.character.person = "Ben"
        await ask(s, "hello")
        await s.until("follow_up")
        assert s.voice.spoken.count(AI) == 2


@pytest.mark.parametrize("words", ["Are you a robot?", "are you a real person", "what are you"])
async def test_the_truth_comes_first_whenever_it_is_asked(words: str) -> None:
    async with scene(ScriptedCharacter(["Of course I am a bear."]), persona=TEDDY, guardian=guardian()) as s:
        await ask(s, "hello")
        await s.until("follow_up")
        await ask(s, words, wake=False)
        await s.until("follow_up")
        assert s.voice.spoken[1] == AI


async def test_the_opening_comes_behind_the_truth() -> None:
    character = ScriptedCharacter(first_line="Shall we play?")
    async with scene(character, persona=TEDDY, guardian=guardian(truth__says_it_is_ai="daily")) as s:
        s.listener.put(WAKE)
        await s.until("listening")
        s.listener.put(NobodySpoke(16000))
        await s.until("speaking")
        await s.until("listening")
        s.listener.put(said("yes"))
        await s.until("follow_up")
        assert s.voice.spoken == [AI, "Shall we play?", *ANSWER]


async def test_a_long_talk_is_reminded_of_what_it_talks_with() -> None:
    watch = guardian(truth__reminder_minutes=5, time__break_after_minutes=None, time__minutes_a_day=None)
    async with scene(persona=TEDDY, guardian=watch, longest_talk_s=1e6, follow_up_s=20.0) as s:
        await ask(s, "hello")
        for _ in range(24):
            await s.until("follow_up")
            await pass_time(12)
            await ask(s, "tell me more", wake=False)
        await s.until("follow_up")
        assert s.voice.spoken.count(LINES.reminder[0]) == 1


async def test_after_so_many_minutes_the_talk_ends_gently_and_rests() -> None:
    watch = guardian(time__break_after_minutes=1, time__break_minutes=10)
    async with scene(persona=TEDDY, guardian=watch, longest_talk_s=1e6, follow_up_s=80.0) as s:
        await ask(s, "hello")
        await s.until("follow_up")
        await pass_time(59)
        await ask(s, "tell me more", wake=False)
        await s.until("idle")
        assert s.voice.spoken == [*ANSWER, *ANSWER, LINES.pause[0]], "the answer is not cut, and then it ends"
        asked = len(s.character.asked)
        s.listener.put(WAKE)
        await s.until("speaking")
        assert s.listener.attention == Attention.WAKE, "nobody is listened to"
        await s.until("idle")
        assert s.voice.spoken[-1] == LINES.resting[0]
        await pass_time(600)
        await ask(s, "hello again")
        await s.until("follow_up")
        assert s.voice.spoken[-2:] == ANSWER
        assert len(s.character.asked) == asked + 1


async def test_who_never_lets_an_answer_end_does_not_put_the_end_off() -> None:
    watch = guardian(time__minutes_a_day=1)
    async with scene(persona=TEDDY, guardian=watch, longest_talk_s=1e6) as s:
        await ask(s, "hello")
        for _ in range(200):
            await pass_time(1.5)
            s.listener.put(SpeechStarted(0), Partial("no wait listen to me", 24000), said("no wait listen to me"))
            await s.until("speaking")
            if LINES.day_over[0] in s.voice.spoken:
                break
        await s.until("idle")
        assert s.voice.spoken[-1] == LINES.day_over[0]
        assert watch.talk_time.talked_s == pytest.approx(60, abs=8)


async def test_when_the_minutes_are_used_up_every_wake_is_answered_so_until_tomorrow() -> None:
    async with scene(persona=TEDDY, guardian=guardian(time__minutes_a_day=0)) as s:
        for _ in range(2):
            s.listener.put(WAKE)
            await s.until("speaking")
            await s.until("idle")
        assert s.voice.spoken == [LINES.day_over[0]] * 2
        assert (s.character.asked, "listening" in s.notes.states()) == ([], False)


async def test_bedtime_ends_a_talk_and_nobody_is_woken_in_it() -> None:
    watch = guardian(NOON.replace(hour=19, minute=59, second=50), time__bedtime="20:00-07:00")
    async with scene(persona=TEDDY, guardian=watch, follow_up_s=30.0) as s:
        await ask(s, "hello")
        await s.until("follow_up")
        await pass_time(12)
        await ask(s, "tell me a story", wake=False)
        await s.until("idle")
        assert s.voice.spoken == [*ANSWER, LINES.bedtime[0]]
        s.listener.put(WAKE)
        await s.until("speaking")
        await s.until("idle")
        assert s.voice.spoken[-1] == LINES.bedtime[0]
        await pass_time(11 * 3600)
        await ask(s, "good morning dear")
        assert len(s.character.asked) == 2


@pytest.mark.parametrize("always_open", [False, True])
async def test_without_consent_nobody_is_listened_to_and_no_word_is_sent(always_open: bool) -> None:
    decided = OwnerSettings()
    watch = guardian(owner=lambda: decided, consent__guardian=True)
    async with scene(persona=TEDDY, guardian=watch, always_open=always_open) as s:
        await s.until("idle")
        assert s.listener.attention == Attention.WAKE
        s.listener.put(WAKE)
        await s.until("speaking")
        assert s.listener.attention == Attention.WAKE
        await s.until("idle")
        assert "grown-up" in s.voice.spoken[0]
        assert (s.character.asked, "listening" in s.notes.states()) == ([], False)
        decided = OwnerSettings(consent=Consent(at=NOON, by="Mum"))
        await ask(s, "hello")
        assert s.character.asked == ["hello"]


@pytest.mark.parametrize("words", ["goodbye", "Stop!", "okay bye bye", "I have to go"])
async def test_leaving_over_an_answer_is_silence_at_once_and_no_model_answer(words: str) -> None:
    async with scene(persona=TEDDY, guardian=guardian()) as s:
        await ask(s, "tell me a story")
        await pass_time(0.3)
        spoken, asked = len(s.voice.spoken), len(s.character.asked)
        s.listener.put(SpeechStarted(0), Partial(words, 24000))
        await pass_time(0.0)
        began = asyncio.get_running_loop().time()
        s.listener.put(LikelyUtterance(said(words)), said(words))
        await s.until("idle")
        assert asyncio.get_running_loop().time() - began < 1.0
        assert s.voice.spoken[spoken:] in ([], [LINES.goodbye[0]])
        assert len(s.character.asked) == asked
        assert s.turns[0].reason != "finished"


async def test_the_personas_own_phrases_do_not_take_the_exit_words_away() -> None:
    deaf = TEDDY.model_validate(TEDDY.model_dump() | {"words": {"en": {"goodbye": [], "stop": []}}})
    async with scene(persona=deaf, guardian=guardian()) as s:
        await ask(s, "goodbye")
        await s.until("idle")
        assert s.character.asked == []
    async with scene(persona=deaf, guardian=guardian(time__exit_words=False)) as s:
        await ask(s, "goodbye")
        assert s.character.asked == ["goodbye"]


async def test_somebody_in_danger_is_answered_though_the_time_is_over() -> None:
    watch = guardian(time__minutes_a_day=1)
    async with scene(persona=TEDDY, guardian=watch, longest_talk_s=1e6, follow_up_s=80.0) as s:
        await ask(s, "hello")
        await s.until("follow_up")
        await pass_time(70)
        await ask(s, "i want to die", wake=False)
        await s.until("idle")
        plain = language("en").guardian
        assert plain is not None
        assert " ".join(s.voice.spoken[2:]) == plain.self_harm[0]
