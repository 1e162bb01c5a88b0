""" "Learn my voice": the lesson as a part of the talk, and every way out of it, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from companion.ears.attention import Attention
from companion.errors import DeviceError, SpeechError
from companion.events import Control, Hearing, LikelyUtterance, NobodySpoke, SpeechStarted, State, WakeHeard
from companion.languages.language import EnrolmentLines, language
from tests.support.doubles import MUTE, STOP, ScriptedCharacter, pass_time
from tests.support.scene import WAKE, Scene, said, scene

pytestmark = pytest.mark.looptime

ASKED = said("learn my voice calling you")
BUTTON = WakeHeard("button", 90000)


def lines() -> EnrolmentLines:
    found = language("en").enrolment
    assert found is not None
    return found


class Teacher:
    """Asks once, listens until it is told that somebody called, and says that it has learnt."""

    def __init__(self) -> None:
        self.taught: list[str] = []
        self.called = asyncio.Event()
        self.changed_something = False

    async def __call__(
        self,
        woken_by: str,
        lines: EnrolmentLines,
        say: Callable[[str], Awaitable[None]],
        show: Callable[[State], None],
    ) -> None:
        self.taught.append(woken_by)
        await say(lines.first)
        show(State.LISTENING)
        await self.called.wait()
        show(State.THINKING)
        await say(lines.learning)
        self.changed_something = True
        await say(lines.done)


async def listening_lesson(s: Scene, wake: WakeHeard = WAKE) -> None:
    s.listener.put(wake)
    await s.until("listening")
    s.listener.put(ASKED)
    await s.until("speaking")
    await s.until("listening")


async def test_a_lesson_asks_listens_and_says_that_it_has_learnt() -> None:
    teacher = Teacher()
    async with scene(teach=teacher) as s:
        await listening_lesson(s, WakeHeard("hey_momo", 16000))
        assert s.listener.attention == Attention.SPEECH
        teacher.called.set()
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == f"{lines().first} {lines().learning} {lines().done}"
        assert teacher.taught == ["hey_momo"], "the word that woke this talk learns"
        assert s.character.asked == [], "nothing of it is put to the character"
        s.listener.put(SpeechStarted(90000), said("how are you"))
        await s.until("follow_up")
        assert s.character.asked == ["how are you"]


async def test_calls_and_words_are_answers_to_its_questions() -> None:
    teacher = Teacher()
    async with scene(teach=teacher) as s:
        await listening_lesson(s)
        answers: list[Hearing] = [
            WAKE,
            SpeechStarted(50000),
            LikelyUtterance(said("momo")),
            said("momo"),
            NobodySpoke(1),
        ]
        s.listener.put(*answers, Control("yield"), Control("continue"))
        await pass_time(1)
        assert s.conversation.state is State.LISTENING
        teacher.called.set()
        await s.until("follow_up")
        assert teacher.changed_something
        assert s.character.asked == []


@pytest.mark.parametrize(
    ("heard", "then"),
    [
        (MUTE, "muted"),
        (STOP, "idle"),
        (BUTTON, "listening"),
        (WakeHeard("halt", 90000), "idle"),
        (said("stop"), "idle"),
        (LikelyUtterance(said("momo be quiet")), "idle"),
        (said("goodbye"), "idle"),
        (SpeechError("The transcriber broke."), "speaking"),
        (DeviceError("The microphone is gone."), "idle"),
    ],
)
@pytest.mark.parametrize("amid", ["question", "listening"])
async def test_every_way_out_leaves_everything_as_it_was(
    heard: Hearing | SpeechError | DeviceError, then: str, amid: str
) -> None:
    teacher = Teacher()
    async with scene(teach=teacher, stop_words=frozenset({"halt"})) as s:
        s.listener.put(WAKE, ASKED)
        await s.until("speaking")
        if amid == "listening":
            await s.until("listening")
        s.listener.put(heard)
        await pass_time(0.2)
        assert s.conversation.state is not None
        assert s.conversation.state.value == then
        teacher.called.set()
        await pass_time(2)
        assert not teacher.changed_something
        assert lines().done not in s.voice.spoken
        assert s.speaker.silent or then == "speaking"


async def test_after_a_lesson_that_was_ended_the_unit_talks_as_ever() -> None:
    async with scene(teach=Teacher()) as s:
        await listening_lesson(s)
        s.listener.put(STOP)
        await s.until("idle")
        s.listener.put(WAKE, said("how are you"))
        await s.until("follow_up")
        assert s.character.asked == ["how are you"]


async def test_a_guest_is_refused_in_a_sentence() -> None:
    teacher = Teacher()
    async with scene(ScriptedCharacter(guest=True), teach=teacher) as s:
        s.listener.put(WAKE, ASKED)
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == lines().guest
        assert teacher.taught == []


async def test_a_unit_without_a_word_that_could_learn_says_so() -> None:
    async with scene() as s:
        s.listener.put(WAKE, ASKED)
        await s.until("follow_up")
        assert " ".join(s.voice.spoken) == lines().no_word


async def test_what_was_to_be_said_waits_for_the_end_of_the_lesson() -> None:
    teacher = Teacher()
    async with scene(teach=teacher) as s:
        await listening_lesson(s)
        s.conversation.announce("Dinner is ready.")
        s.listener.put(Control("say"))
        await pass_time(1)
        assert "Dinner is ready." not in s.voice.spoken
        teacher.called.set()
        await s.until("follow_up")
        await s.until("follow_up")
        assert s.voice.spoken[-1] == "Dinner is ready."


@pytest.mark.parametrize("barge_in", ["wake", "off"])
async def test_a_spoken_stop_ends_it_whatever_ends_an_answer(barge_in: str) -> None:
    async with scene(teach=Teacher(), barge_in=barge_in) as s:
        s.listener.put(WAKE, ASKED)
        await s.until("speaking")
        assert s.listener.attention == Attention.SPEECH
        s.listener.put(said("stop"))
        await s.until("idle")
