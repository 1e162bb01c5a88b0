"""Opening line, speaking on, groups, guests, other words, announcements and a change of persona, on virtual time."""

from __future__ import annotations

import asyncio

import pytest

from companion.announcements import MOST_ANNOUNCEMENTS
from companion.config.persona import SpokenLines, Words
from companion.dialogue import Dialogue
from companion.ears.attention import Attention
from companion.errors import CharacterError, CharacterRefused, CompanionError
from companion.events import Hearing, NobodySpoke, SpeechStarted
from tests.support.doubles import MUTE, STOP, UNMUTE, ScriptedCharacter, ScriptedVoice, pass_time
from tests.support.scene import PERSONA, WAKE, said, scene

pytestmark = pytest.mark.looptime

OPENING = "Hello, I am Momo."


def persona(**lines: tuple[str, ...]):  # type: ignore[no-untyped-def]  # a Persona
    words = {"en": Words(again=("say that another way",), guest=("i am a guest",), stop=("stop",))}
    spoken = SpokenLines(offline=("Offline line.",), failed=("Failed line.",), **lines)
    return PERSONA.model_copy(update={"words": words, "lines": spoken})


async def test_the_opening_line_is_said_on_the_first_wake_of_a_new_session() -> None:
    async with scene(ScriptedCharacter(first_line=OPENING)) as s:
        s.listener.put(WAKE)
        await s.until("listening")
        assert s.listener.attention == Attention.WORDS(2.0)
        s.listener.put(NobodySpoke(32000))
        await s.until("speaking")
        await s.until("listening")
        assert s.voice.spoken == [OPENING]
        assert s.listener.attention == Attention.WORDS(5.0)
        assert s.character.remembered == []
        s.listener.put(NobodySpoke(90000), WAKE)
        await s.until("idle")
        await s.until("listening")
        assert s.listener.attention == Attention.WORDS(5.0)


async def test_whoever_speaks_at_once_is_answered_and_not_talked_over() -> None:
    async with scene(ScriptedCharacter(first_line=OPENING)) as s:
        s.listener.put(WAKE, SpeechStarted(16000), said("hi"))
        await s.until("follow_up")
        s.listener.put(NobodySpoke(90000), WAKE)
        await s.until("idle")
        await s.until("listening")
        s.listener.put(NobodySpoke(99000))
        await s.until("idle")
        assert OPENING not in s.voice.spoken


async def test_whoever_was_talked_with_is_not_greeted_though_a_guests_session_begins() -> None:
    async with scene(ScriptedCharacter(first_line=OPENING)) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        s.character.remembered.clear()  # as for a guest, of whom nothing is kept
        s.listener.put(WAKE, NobodySpoke(32000))
        await s.until("listening")
        await s.until("idle")
        assert OPENING not in s.voice.spoken


async def test_a_session_that_goes_on_has_no_opening_line() -> None:
    async with scene() as s:
        s.listener.put(WAKE, NobodySpoke(32000))
        await s.until("listening")
        await s.until("idle")
        assert s.voice.spoken == []


async def test_after_a_long_silence_the_character_speaks_on_but_not_for_ever() -> None:
    async with scene(continue_after_s=20.0, continue_most=2) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        began = asyncio.get_running_loop().time()
        s.listener.put(NobodySpoke(90000))
        await s.until("speaking")
        assert asyncio.get_running_loop().time() - began == pytest.approx(20, abs=0.5)
        await s.until("speaking")
        await s.until("follow_up")
        await pass_time(100)
        assert s.character.asked == ["hi", "(on)", "(on)"]
        assert s.character.remembered[1:] == [("", "Hello. How are you?")] * 2
        s.listener.put(said("oh"))
        await s.until("follow_up")
        await s.until("speaking")
        assert s.character.asked[-1] == "(on)"


@pytest.mark.parametrize("what", [STOP, MUTE, WAKE, SpeechStarted(90000)])
async def test_whatever_anybody_does_ends_the_waiting(what: object) -> None:
    async with scene(continue_after_s=20.0) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        s.listener.put(what)  # type: ignore[arg-type]
        await pass_time(100)
        assert s.character.asked == ["hi"]


async def test_it_never_speaks_by_itself_in_quiet_hours_nor_by_default() -> None:
    async with scene(continue_after_s=20.0, may_speak_first=lambda: False) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        await pass_time(100)
        assert s.character.asked == ["hi"]
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        await pass_time(10_000)
        assert s.character.asked == ["hi"]


async def test_it_speaks_on_after_an_announcement_too() -> None:
    async with scene(continue_after_s=0.8) as s:
        s.conversation.announce("Dinner is ready.")
        await s.until("follow_up")
        await pass_time(1.0)
        assert s.character.asked == ["(on)"]


async def test_after_stop_or_goodbye_it_does_not_speak_on() -> None:
    async with scene(continue_after_s=20.0) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        s.listener.put(SpeechStarted(1), said("bye bye"))
        await s.until("speaking")
        await s.until("idle")
        await pass_time(100)
        assert s.character.asked == ["hi"]


async def test_that_nothing_came_of_speaking_on_is_not_told() -> None:
    async with scene(continue_after_s=20.0) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        s.character.deltas = [CharacterError("no route")]
        await s.until("idle")
        assert s.voice.spoken == ["Hello.", "How are you?"]
        assert len(s.character.remembered) == 1


async def test_a_group_answers_one_after_the_other_each_with_a_voice_and_light_of_its_own() -> None:
    other, lit = ScriptedVoice(), []
    character = ScriptedCharacter(names=("Momo", "Kiki"))
    async with scene(character, voices={"Kiki": other}, spotlight=lit.append) as s:
        s.listener.put(WAKE, said("hi you two"))
        await s.until("follow_up")
        assert s.character.asked_of == ["Momo", "Kiki"]
        assert s.voice.spoken == other.spoken == ["Hello.", "How are you?"]
        assert lit == ["Momo", "Kiki"]
        assert s.character.remembered_of == ["Momo", "Kiki"]
        assert s.character.remembered == [("hi you two", "Hello. How are you?"), ("", "Hello. How are you?")]


async def test_nobody_in_a_group_says_their_own_name_like_in_a_script() -> None:
    other = ScriptedVoice()
    async with scene(ScriptedCharacter(["Kiki: Hello there."], names=("Kiki",)), voices={"Kiki": other}) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert other.spoken == ["Hello there."]


async def test_interrupting_the_first_of_a_group_silences_all() -> None:
    async with scene(ScriptedCharacter(names=("Momo", "Kiki"))) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        s.listener.put(WAKE)
        await s.until("listening")
        assert s.character.asked_of == ["Momo"]


async def test_in_a_group_one_of_them_says_it_in_other_words() -> None:
    async with scene(ScriptedCharacter(names=("Momo", "Kiki")), persona=persona()) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        turns = len(s.notes.of("turn"))
        s.listener.put(said("say that another way"))
        await s.until("follow_up")
        assert s.character.asked == ["hi", "hi", "(again)"]
        assert len(s.notes.of("turn")) - turns == 1


async def test_the_last_answer_comes_in_other_words() -> None:
    async with scene(persona=persona()) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        s.listener.put(said("Say that another way please"))
        await s.until("follow_up")
        assert s.character.asked == ["hi", "(again)"]
        assert s.character.remembered[1] == ("Say that another way please", "Hello. How are you?")


async def test_where_there_is_no_last_answer_the_words_go_to_the_character() -> None:
    async with scene(persona=persona()) as s:
        s.listener.put(WAKE, said("say that another way"))
        await s.until("follow_up")
        assert s.character.asked == ["say that another way"]


async def test_a_guest_is_told_that_nothing_is_kept() -> None:
    async with scene(persona=persona(guest=("I will keep nothing.",))) as s:
        s.listener.put(WAKE, said("I am a guest"))
        await s.until("follow_up")
        assert s.character.guest
        assert s.voice.spoken == ["I will keep nothing."]
        assert s.character.asked == []


@pytest.mark.parametrize(
    ("line", "spoken"),
    [
        ("busy", "Busy line."),
        ("unpaid", "Offline line."),
        ("change_subject", "Failed line."),
        ("offline", "Offline line."),
    ],
)
async def test_each_kind_of_failure_has_its_line_or_the_next_best(line: str, spoken: str) -> None:
    character = ScriptedCharacter([CharacterError("it failed", line)])
    async with scene(character, persona=persona(busy=("Busy line.",))) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert s.voice.spoken == [spoken]


async def test_a_persona_without_such_a_line_says_nothing() -> None:
    async with scene(persona=persona()) as s:
        s.listener.put(WAKE, said("I am a guest"))
        await s.until("follow_up")
        assert s.character.guest
        assert s.voice.spoken == []


async def test_why_the_last_answer_did_not_come_is_known_until_one_comes() -> None:
    async with scene(ScriptedCharacter([CharacterError("no route")])) as s:
        assert s.conversation.dialogue.trouble == ""
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        assert s.conversation.dialogue.trouble == "offline"
        s.character.deltas = ["Back again."]
        s.listener.put(said("hello"))
        await s.until("thinking")
        await s.until("follow_up")
        assert s.conversation.dialogue.trouble == ""


async def test_when_the_money_is_spent_the_talk_ends_in_the_personas_words() -> None:
    character = ScriptedCharacter([CharacterRefused("the daily cap", "cap", "spent")])
    async with scene(character, persona=persona(spent=("I am tired for today.",))) as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        await s.until("idle")
        assert s.voice.spoken == ["I am tired for today."]


async def test_an_announcement_waits_until_nobody_speaks() -> None:
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        s.conversation.announce("Dinner is ready.")
        await s.until("follow_up")
        await s.until("follow_up")
        assert s.voice.spoken == ["Hello.", "How are you?", "Dinner is ready."]
        assert s.notes.of("heard")[0]["reason"] == "finished"


@pytest.mark.parametrize("state", ["idle", "follow_up"])
async def test_an_announcement_is_said_at_once_where_nobody_speaks(state: str) -> None:
    async with scene() as s:
        if state == "follow_up":
            s.listener.put(WAKE, said("hi"))
        await s.until(state)
        s.conversation.announce("Dinner is ready.")
        await s.until("speaking")
        assert s.voice.spoken[-1] == "Dinner is ready."


async def test_a_muted_device_says_nothing_by_itself() -> None:
    async with scene() as s:
        s.listener.put(MUTE)
        s.conversation.announce("Dinner is ready.")
        await s.until("muted")
        s.listener.put(UNMUTE)
        await s.until("idle")
        await pass_time(10)
        assert s.voice.spoken == []


async def test_only_a_few_announcements_wait() -> None:
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        for number in range(MOST_ANNOUNCEMENTS):
            s.conversation.announce(f"Number {number}.")
        with pytest.raises(CompanionError, match="announcements wait already"):
            s.conversation.announce("One too many.")
        for _ in range(MOST_ANNOUNCEMENTS + 1):
            await s.until("follow_up")
        assert s.voice.spoken[-1] == f"Number {MOST_ANNOUNCEMENTS - 1}."
        s.conversation.announce("Now there is room again.")
        await s.until("speaking")


@pytest.mark.parametrize("quiet", [[MUTE, UNMUTE], [STOP], [WAKE, said("stop")]], ids=["mute", "stop", "spoken stop"])
async def test_what_waits_to_be_said_is_dropped_by_mute_and_stop(quiet: list[Hearing]) -> None:
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        for _ in range(3):
            s.conversation.announce("Dinner is ready.")
        s.listener.put(*quiet)
        await s.until("idle")
        s.listener.put(WAKE, said("hi"))
        await s.until("follow_up")
        await pass_time(60)
        assert "Dinner is ready." not in s.voice.spoken
        assert s.conversation.announcements_waiting == 0


async def test_a_new_persona_takes_over_between_two_answers() -> None:
    new = ScriptedCharacter(["I am new."])
    async with scene() as s:
        s.listener.put(WAKE, said("hi"))
        await s.until("speaking")
        old = s.conversation.dialogue
        changing = asyncio.create_task(s.conversation.switch_to(Dialogue(new, PERSONA, old.tools)))
        await pass_time(0.3)
        assert not changing.done()
        await s.until("follow_up")
        assert await changing is old
        assert s.voice.spoken == ["Hello.", "How are you?"]
        s.listener.put(said("who are you"))
        await s.until("follow_up")
        assert s.voice.spoken[-1] == "I am new."
        assert new.asked == ["who are you"]


async def test_a_new_persona_comes_at_once_where_nobody_speaks_even_when_muted() -> None:
    async with scene() as s:
        s.listener.put(MUTE)
        await s.until("muted")
        old = s.conversation.dialogue
        assert await s.conversation.switch_to(Dialogue(ScriptedCharacter(), PERSONA, old.tools)) is old
        assert s.conversation.state == "muted"
