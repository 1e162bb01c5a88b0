"""Several wake words in one talk: whom each of a group wakes, and the word that stops an answer."""

from __future__ import annotations

import pytest

from companion.config.persona import load_persona
from companion.ears.attention import Attention
from companion.errors import CharacterError
from companion.events import Control, LikelyUtterance, SpeechResumed, SpeechStarted, WakeHeard
from tests.support.doubles import ScriptedCharacter, ScriptedVoice, pass_time
from tests.support.paths import CONFIGS
from tests.support.scene import Scene, said, scene

pytestmark = pytest.mark.looptime

DUO = load_persona(CONFIGS / "personas" / "duo.toml")
MOMO, KIKI, BOTH = WakeHeard("okay_nabu", 16000), WakeHeard("hey_jarvis", 16000), WakeHeard("alexa", 16000)
CHARACTERS = {"okay_nabu": "Momo", "hey_jarvis": "Kiki"}
HALT = WakeHeard("halt", 48000)
LONG = ["One two three four five six seven eight nine ten. ", "Never heard."]


def duo(deltas: list[str] | None = None) -> ScriptedCharacter:
    return ScriptedCharacter(list(deltas or ["Hello."]), names=("Momo", "Kiki"))


async def ask(s: Scene, words: str) -> None:
    s.listener.put(said(words))
    await s.until("follow_up")


async def test_whoever_is_woken_answers_until_another_one_is_called() -> None:
    async with scene(duo(), persona=DUO, voices={"Kiki": ScriptedVoice()}, characters=CHARACTERS) as s:
        s.listener.put(KIKI)
        await ask(s, "who are you")
        await ask(s, "and what do you like")
        await ask(s, "and you Momo")
        await ask(s, "really")
        s.listener.put(KIKI)
        await ask(s, "are you there")
        assert s.character.remembered_of == ["Kiki", "Kiki", "Momo", "Momo", "Kiki"]
        s.listener.put(BOTH)
        await ask(s, "hello you two")
        assert s.character.remembered_of[5:] == ["Momo", "Kiki"], "a word of nobody's own wakes the whole group"


async def test_the_button_wakes_the_whole_group() -> None:
    async with scene(duo(), persona=DUO, voices={"Kiki": ScriptedVoice()}, characters=CHARACTERS) as s:
        s.listener.put(KIKI)
        await ask(s, "who are you")
        s.listener.put(WakeHeard("button", 16000))
        await ask(s, "hello you two")
        assert s.character.remembered_of == ["Kiki", "Momo", "Kiki"]


async def test_a_word_of_somebody_whom_the_present_persona_does_not_know_wakes_the_persona() -> None:
    async with scene(characters={"hey_jarvis": "Kiki"}) as s:
        s.listener.put(KIKI)
        await ask(s, "who are you")
        assert s.character.remembered_of == ["Momo"]


async def test_an_own_line_has_the_voice_of_whoever_was_woken() -> None:
    kiki, lit = ScriptedVoice(), list[str]()
    character = duo()
    character.deltas = [CharacterError("gone")]
    async with scene(character, persona=DUO, voices={"Kiki": kiki}, spotlight=lit.append, characters=CHARACTERS) as s:
        s.listener.put(KIKI)
        await ask(s, "who are you")
        assert s.voice.spoken == []
        assert kiki.spoken
        assert lit[-1] == "Kiki"


async def test_an_answer_that_was_dropped_calls_nobody() -> None:
    async with scene(duo(), persona=DUO, voices={"Kiki": ScriptedVoice()}, characters=CHARACTERS) as s:
        s.listener.put(KIKI, SpeechStarted(16000), LikelyUtterance(said("Momo")))
        await s.until("listening")
        await pass_time(0.1)
        s.listener.put(SpeechResumed(40000))
        await ask(s, "I mean the parrot")
        assert s.character.remembered_of == ["Kiki"]


@pytest.mark.parametrize("barge_in", ["speech", "words", "wake", "off"])
async def test_a_stop_word_ends_the_answer_and_the_talk(barge_in: str) -> None:
    async with scene(ScriptedCharacter(LONG), stop_words=frozenset({"halt"}), barge_in=barge_in) as s:
        s.listener.put(MOMO, said("count"))
        await s.until("speaking")
        await pass_time(1.0)
        s.listener.put(HALT)
        await s.until("idle", within_s=1)
        assert s.speaker.silent
        assert s.listener.attention == Attention.WAKE
        assert s.notes.of("stop") == [{"word": "halt"}]
        assert s.notes.of("wake") == [{"word": "okay_nabu"}], "it wakes nobody"
        [(_, heard)] = s.character.remembered
        assert LONG[0].startswith(heard)


async def test_a_stop_word_drops_what_waits_to_be_said() -> None:
    async with scene(ScriptedCharacter(LONG), stop_words=frozenset({"halt"})) as s:
        s.listener.put(MOMO, said("count"))
        await s.until("speaking")
        s.conversation.announce("Dinner is ready.")
        s.listener.put(HALT)
        await s.until("idle", within_s=1)
        await pass_time(5.0)
        assert "Dinner is ready." not in s.voice.spoken


async def test_a_stop_word_does_nothing_while_muted() -> None:
    async with scene(stop_words=frozenset({"halt"})) as s:
        s.listener.put(Control("mute"))
        await s.until("muted")
        s.listener.put(HALT)
        await pass_time(1.0)
        assert s.notes.states()[-1] == "muted"
        assert s.notes.of("stop") == []
