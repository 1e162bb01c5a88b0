"""Talking over an answer: what stops it, what does not, and what takes it back."""

from __future__ import annotations

import pytest

from companion.ears.attention import Attention
from companion.errors import DeviceError
from companion.events import FirstSign, LikelyUtterance, NoWords, Partial, SpeechStarted, WakeHeard
from tests.support.doubles import ScriptedCharacter, pass_time
from tests.support.scene import WAKE, Scene, said, scene

pytestmark = pytest.mark.looptime

LONG = "Once upon a time there was a bear who lived in a wood. "
SPEAKS = SpeechStarted(90000)


async def speaks(s: Scene, for_s: float, question: str = "tell me a story") -> None:
    """The character has spoken for so long."""
    s.listener.put(WAKE, said(question))
    await s.until("speaking")
    await pass_time(for_s)


def story() -> ScriptedCharacter:
    return ScriptedCharacter([LONG])


async def test_speech_over_an_answer_is_silence_at_once_and_words_are_listened_to() -> None:
    async with scene(story()) as s:
        await speaks(s, 1.5)
        s.listener.put(SPEAKS)
        await pass_time(0.01)
        position = s.speaker.position()
        await pass_time(1.0)
        assert s.speaker.position() == position
        assert s.conversation.state == "speaking"
        s.listener.put(Partial("what", 91000))
        await s.until("listening")
        s.listener.put(said("what is a wood"))
        await s.until("speaking")
        # What was heard of it is remembered; the question is one of its own.
        assert s.character.asked == ["tell me a story", "what is a wood"]
        question, heard = s.character.remembered[0]
        assert question == "tell me a story"
        assert LONG.startswith(heard)
        assert 10 < len(heard) < 40
        assert s.notes.of("heard")[0]["reason"] == "interrupted"


async def test_a_cough_only_makes_it_wait() -> None:
    async with scene(story()) as s:
        await speaks(s, 1.5)
        s.listener.put(SPEAKS)
        await pass_time(0.4)
        s.listener.put(NoWords(95000))
        await s.until("follow_up")
        assert s.notes.of("heard") == [{"text": LONG.strip(), "reason": "finished"}]
        assert s.character.remembered == [("tell me a story", LONG.strip())]


async def test_at_the_first_sign_of_the_wake_word_it_is_silent_until_that_is_known() -> None:
    async with scene(story(), barge_in="wake") as s:
        await speaks(s, 1.5)
        s.listener.put(FirstSign("wake", 90000))
        await pass_time(0.01)
        position = s.speaker.position()
        await pass_time(0.3)
        assert s.speaker.position() == position
        s.listener.put(FirstSign("nothing", 95000))
        await s.until("follow_up")
        assert s.notes.of("heard") == [{"text": LONG.strip(), "reason": "finished"}]


async def test_the_wake_word_behind_its_first_sign_stops_it() -> None:
    async with scene(story(), barge_in="wake") as s:
        await speaks(s, 1.5)
        s.listener.put(FirstSign("wake", 90000), WAKE)
        await s.until("listening")
        s.listener.put(said("what is a wood"))
        await s.until("follow_up")
        assert s.character.asked == ["tell me a story", "what is a wood"]
        assert s.notes.of("heard")[1] == {"text": LONG.strip(), "reason": "finished"}


async def test_at_the_first_sign_of_speech_it_is_quieter_until_that_is_known() -> None:
    async with scene(story()) as s:
        await speaks(s, 1.5)
        s.listener.put(FirstSign("speech", 90000))
        await pass_time(0.1)
        assert s.speaker.ducked
        s.listener.put(FirstSign("nothing", 93000))
        await pass_time(0.1)
        assert not s.speaker.ducked
        assert s.speaker.paused_at == []
        s.listener.put(FirstSign("speech", 94000), SPEAKS, FirstSign("nothing", 95000))
        await pass_time(0.1)
        position = s.speaker.position()
        await pass_time(0.5)
        assert s.speaker.position() == position


async def test_a_sign_of_the_wake_word_that_turns_out_to_be_speech_does_not_keep_the_next_sentences_back() -> None:
    async with scene(ScriptedCharacter(["It was cold. ", 2.0, "And dark."]), barge_in="words") as s:
        await speaks(s, 0.3)
        s.listener.put(FirstSign("wake", 90000), SPEAKS, FirstSign("nothing", 92000))
        await s.until("listening")
        assert s.notes.of("heard") == [{"text": "It was cold. And dark.", "reason": "finished"}]


async def test_an_answer_that_ends_quieter_leaves_the_next_as_loud_as_ever() -> None:
    async with scene(ScriptedCharacter(["Hello."])) as s:
        await speaks(s, 0.1)
        s.listener.put(FirstSign("speech", 90000))
        await s.until("follow_up")
        s.listener.put(FirstSign("nothing", 99000))
        assert not s.speaker.ducked


async def test_where_nothing_stops_it_no_sign_does() -> None:
    async with scene(story(), barge_in="off") as s:
        await speaks(s, 1.5)
        s.listener.put(FirstSign("wake", 90000))
        await s.until("follow_up")
        assert s.speaker.paused_at == []


@pytest.mark.parametrize("words", ["mhm", "yes", "haha", "okay yeah", "wow"])
async def test_what_people_say_while_they_listen_does_not_stop_it(words: str) -> None:
    async with scene(story()) as s:
        await speaks(s, 1.5)
        s.listener.put(SPEAKS, Partial(words, 92000), LikelyUtterance(said(words)), said(words))
        await s.until("follow_up")
        assert s.notes.of("heard") == [{"text": LONG.strip(), "reason": "finished"}]
        assert s.notes.of("aside") == [{"text": words}]
        assert s.character.asked == ["tell me a story"]


@pytest.mark.parametrize("words", ["stop", "wait", "no", "no that is wrong", "yes but why"])
async def test_what_is_meant_to_stop_it_does(words: str) -> None:
    async with scene(story()) as s:
        await speaks(s, 1.5)
        s.listener.put(SPEAKS, Partial(words, 92000))
        await s.until("listening")
        assert s.speaker.silent


async def test_stop_said_over_it_ends_the_talk() -> None:
    async with scene(story()) as s:
        await speaks(s, 1.5)
        s.listener.put(SPEAKS, LikelyUtterance(said("stop")), said("stop"))
        await s.until("idle")
        assert s.character.asked == ["tell me a story"]


async def test_whoever_goes_on_as_the_answer_begins_takes_it_back() -> None:
    async with scene(story()) as s:
        await speaks(s, 0.6, "tell me a story")
        s.listener.put(SPEAKS, Partial("about", 91000))
        await s.until("listening")
        s.listener.put(LikelyUtterance(said("about a fox")), said("about a fox"))
        await s.until("follow_up")
        assert s.character.asked == ["tell me a story", "tell me a story about a fox"]
        # The first answer was never given: one question, one answer.
        assert s.character.remembered == [("tell me a story about a fox", LONG.strip())]
        assert [one["reason"] for one in s.notes.of("heard")] == ["taken_back", "finished"]


async def test_what_is_joined_to_a_taken_back_question_is_written_as_its_language_is() -> None:
    async with scene(story()) as s:
        await speaks(s, 0.6, "你可以叫我")
        s.listener.put(SPEAKS, Partial("安", 91000), LikelyUtterance(said("安娜")), said("安娜"))
        await s.until("listening")
        await s.until("follow_up")
        assert s.character.asked == ["你可以叫我", "你可以叫我安娜"]


async def test_whoever_goes_on_before_the_answer_began_takes_it_back() -> None:
    async with scene(ScriptedCharacter([3.0, "Hello."])) as s:
        s.listener.put(WAKE, said("tell me"))
        await s.until("thinking")
        s.listener.put(SPEAKS, Partial("a", 91000), said("a story"))
        await s.until("listening")
        await s.until("follow_up")
        assert s.character.asked == ["tell me", "tell me a story"]
        assert s.character.remembered == [("tell me a story", "Hello.")]


async def test_an_answer_waits_for_whoever_seems_to_go_on() -> None:
    async with scene(ScriptedCharacter([0.3, "Hello."])) as s:
        s.listener.put(WAKE, said("tell me"))
        await s.until("thinking")
        s.listener.put(SPEAKS)
        await pass_time(1.0)
        assert s.speaker.silent
        assert s.conversation.state == "thinking"
        s.listener.put(NoWords(95000))
        await s.until("follow_up")
        assert s.notes.of("heard") == [{"text": "Hello.", "reason": "finished"}]


async def test_words_that_turn_out_to_be_none_leave_the_question_answered() -> None:
    async with scene(story()) as s:
        await speaks(s, 0.5, "tell me a story")
        s.listener.put(SPEAKS, Partial("a", 91000))
        await s.until("listening")
        s.listener.put(NoWords(95000))
        await s.until("follow_up")
        assert s.character.remembered == [("tell me a story", LONG.strip())]


async def test_an_answer_that_ends_while_somebody_speaks_does_not_cost_their_words() -> None:
    async with scene(ScriptedCharacter(["Hello."]), barge_in="words") as s:
        await speaks(s, 0.1)
        s.listener.put(SPEAKS)
        await s.until("listening")
        assert s.listener.attention == Attention.SPEECH
        s.listener.put(said("what is that"))
        await s.until("follow_up")
        assert s.character.asked == ["tell me a story", "what is that"]


async def test_with_words_only_words_are_silence_and_speech_is_quieter() -> None:
    async with scene(story(), barge_in="words") as s:
        await speaks(s, 1.5)
        s.listener.put(SPEAKS)
        await pass_time(0.3)
        assert len(s.speaker.ducked_at) == 1
        assert s.speaker.paused_at == []
        s.listener.put(Partial("wait", 92000))
        await s.until("listening")
        assert s.speaker.silent


@pytest.mark.parametrize("barge_in", ["wake", "off"])
async def test_without_it_speech_is_not_listened_for_while_it_speaks(barge_in: str) -> None:
    async with scene(story(), barge_in=barge_in) as s:
        await speaks(s, 0.5)
        assert s.listener.attention == Attention.WAKE
        s.listener.put(WAKE)
        if barge_in == "wake":
            await s.until("listening")
        else:
            await s.until("follow_up")
            assert s.notes.of("heard")[0]["reason"] == "finished"


async def test_the_button_always_stops_it() -> None:
    async with scene(story(), barge_in="off") as s:
        await speaks(s, 0.5)
        s.listener.put(WakeHeard("button", 90000))
        await s.until("listening")


async def test_where_words_need_a_button_speech_stops_nothing() -> None:
    async with scene(story(), by_button=True) as s:
        await speaks(s, 0.5)
        assert s.listener.attention == Attention.WAKE


async def test_a_microphone_that_is_lost_while_somebody_seems_to_speak_does_not_silence_the_answer() -> None:
    async with scene(story()) as s:
        await speaks(s, 1.5)
        s.listener.put(SPEAKS)
        await pass_time(0.1)
        s.listener.put(DeviceError("the microphone was unplugged"))
        await s.until("follow_up")
        assert s.notes.of("heard") == [{"text": LONG.strip(), "reason": "finished"}]


@pytest.mark.parametrize("words", ["upon a time", "one time there was", "a time they was a bear"])
async def test_its_own_words_heard_back_do_not_stop_it(words: str) -> None:
    async with scene(story()) as s:
        await speaks(s, 2.0)
        s.listener.put(SPEAKS, Partial(words, 92000), LikelyUtterance(said(words)), said(words))
        await s.until("follow_up")
        assert s.notes.of("heard") == [{"text": LONG.strip(), "reason": "finished"}]
        assert s.character.asked == ["tell me a story"]


async def test_words_of_an_answer_that_are_said_much_later_are_no_echo() -> None:
    """Nor those that it has not said yet."""
    async with scene(
        ScriptedCharacter(["Once upon a time. " + "It was cold and dark outside. " * 6 + "Goodbye."])
    ) as s:
        await speaks(s, 8.0)
        s.listener.put(SPEAKS, Partial("once upon a time", 92000))
        await s.until("listening")
        assert s.speaker.silent


async def test_stop_stops_it_though_it_says_the_same_word() -> None:
    async with scene(ScriptedCharacter(["The fox said stop. " + "And the bear went on through the wood. " * 3])) as s:
        await speaks(s, 1.2)
        s.listener.put(SPEAKS, Partial("stop", 92000))
        await s.until("listening")
