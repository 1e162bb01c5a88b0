"""How long a pause must be: the character's patience, what it asked, and what it learned of the person."""

from __future__ import annotations

import pytest

from companion.config.device import EndpointSettings
from companion.config.persona import Persona
from companion.ears.turn_taking import (
    LEARNED_LEAST,
    LEARNED_MOST,
    MOST,
    UNFINISHED,
    WAS_OVER,
    WENT_ON,
    WHOLE,
    TurnTaking,
)
from companion.errors import CharacterError
from companion.events import LikelyUtterance, NobodySpoke, Partial, SpeechStarted
from companion.languages.understood import understood
from tests.support.doubles import ScriptedCharacter, pass_time
from tests.support.scene import PERSONA, WAKE, Scene, said, scene

USUAL = 0.7
LONG = "Once upon a time there was a bear who lived in a wood. "
SPEAKS = SpeechStarted(90000)


def _pause_of_a_short_answer(s: Scene) -> float:
    return s.conversation.dialogue.turn_taking.pause_after("a dragon") / USUAL


def _pause(s: Scene) -> float:
    return s.conversation.dialogue.turn_taking.pause_after("my dog is called rex") / USUAL


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("answer", "factor"),
    [
        ("Hello. How are you?", WHOLE),
        ("Which one do you like? 😊", WHOLE),
        ("好きな動物は何？」", WHOLE),
        ("How are you? I am fine.", 1.0),
        ("Hello.", 1.0),
    ],
)
async def test_behind_a_question_a_short_answer_is_waited_for_less(answer: str, factor: float) -> None:
    async with scene(ScriptedCharacter([answer])) as s:
        s.listener.put(WAKE, said("hello"))
        await s.until("follow_up")
        assert _pause_of_a_short_answer(s) == pytest.approx(factor, rel=0.02)


@pytest.mark.looptime
async def test_what_was_heard_last_decides_whether_it_asked() -> None:
    async with scene() as s:
        for answer, factor in (
            (["How are you?"], WHOLE),
            (["Fine."], 1.0),
            (["And?"], WHOLE),
            ([CharacterError("x")], 1.0),
        ):
            s.character.deltas = [*answer]
            s.listener.put(WAKE, said("hello"))
            await s.until("follow_up")
            assert _pause_of_a_short_answer(s) == pytest.approx(factor, rel=0.05)


@pytest.mark.looptime
async def test_a_question_that_was_broken_off_was_not_asked() -> None:
    async with scene(ScriptedCharacter(["There was once a bear, and do you know what he liked?"])) as s:
        s.listener.put(WAKE, said("a story"))
        await s.until("speaking")
        await pass_time(1.5)
        s.listener.put(WAKE)
        await s.until("listening")
        assert _pause_of_a_short_answer(s) == pytest.approx(1.0, rel=0.02)


@pytest.mark.looptime
async def test_an_opening_that_asks_is_a_question_too() -> None:
    async with scene(ScriptedCharacter(first_line="What is your name?")) as s:
        s.listener.put(WAKE, NobodySpoke(60000))
        await s.until("speaking")
        await s.until("listening")
        assert _pause_of_a_short_answer(s) == pytest.approx(WHOLE)


@pytest.mark.looptime
async def test_whoever_takes_answers_back_is_waited_for_longer() -> None:
    async with scene(ScriptedCharacter([LONG])) as s:
        s.listener.put(WAKE, said("i like"))
        await s.until("speaking")
        await pass_time(0.6)
        s.listener.put(SPEAKS, Partial("cats", 91000))
        await s.until("listening")
        assert _pause(s) == pytest.approx(WENT_ON)
        s.listener.put(said("cats"))
        await s.until("follow_up")
        assert 1.0 < _pause(s) < WENT_ON


@pytest.mark.looptime
async def test_going_on_within_the_pause_teaches_nothing() -> None:
    """Then the pause was long enough: the answer that was made ahead was not given."""
    async with scene(ScriptedCharacter(["Hello."])) as s:
        s.listener.put(WAKE, SpeechStarted(16000), LikelyUtterance(said("i like")))
        await pass_time(0.3)
        s.listener.put(Partial("i like cats", 50000))
        await pass_time(0.1)
        assert s.notes.of("dropped")
        assert _pause(s) == 1.0
        s.listener.put(said("i like cats"))
        await s.until("follow_up")


def _turn_taking(patience: float = 1.0) -> TurnTaking:
    return TurnTaking(EndpointSettings(silence_s=USUAL), understood("en"), patience)


def test_what_is_learned_stays_within_bounds() -> None:
    turn_taking = _turn_taking()
    for _ in range(1000):
        turn_taking.was_over()
    assert turn_taking.pause_after("my dog") == pytest.approx(USUAL * LEARNED_LEAST)
    for _ in range(30):
        turn_taking.went_on()
    assert turn_taking.pause_after("my dog") == pytest.approx(USUAL * LEARNED_MOST)
    turn_taking.was_over()
    assert turn_taking.pause_after("my dog") < USUAL * LEARNED_MOST


def test_patience_is_a_factor_on_every_pause_up_to_a_bound() -> None:
    for patience in (0.5, 1.0, 1.5):
        turn_taking = _turn_taking(patience)
        assert turn_taking.pause_after("my dog") == pytest.approx(USUAL * patience)
        assert turn_taking.pause_after("what time is it") == pytest.approx(USUAL * patience * WHOLE)
        assert turn_taking.pause_after("my dog and") == pytest.approx(USUAL * patience * UNFINISHED)
    turn_taking = _turn_taking(2.0)
    for _ in range(30):
        turn_taking.went_on()
    assert turn_taking.pause_after("my dog and") == pytest.approx(USUAL * MOST)


@pytest.mark.looptime
async def test_a_personas_patience_reaches_its_pauses() -> None:
    async with scene(persona=PERSONA.model_copy(update={"patience": 1.5})) as s:
        assert _pause(s) == pytest.approx(1.5)


@pytest.mark.parametrize("patience", [0.4, 2.1, "much"])
def test_patience_out_of_bounds_is_refused(patience: object) -> None:
    with pytest.raises(ValueError, match="patience"):
        Persona.model_validate(PERSONA.model_dump() | {"patience": patience})


@pytest.mark.parametrize(
    ("code", "said_in_another", "factor"),
    [("ja", "what time is it", WHOLE), ("zh", "my dog and", UNFINISHED), ("de", "can you tell me a joke", WHOLE)],
)
def test_what_is_understood_beside_the_own_language_counts_too(code: str, said_in_another: str, factor: float) -> None:
    turn_taking = TurnTaking(EndpointSettings(silence_s=USUAL), understood(code))
    assert turn_taking.pause_after(said_in_another) == pytest.approx(USUAL * factor)


@pytest.mark.parametrize(
    ("code", "name", "said", "factor"),
    [
        ("en", "Momo", "what time is it momo", WHOLE),
        ("en", "Momo", "momo what time is it", WHOLE),
        ("en", "Momo", "i love momo", 1.0),
        ("en", "Momo", "a momo", 1.0),
        ("en", "Momo", "momo i like cats and", UNFINISHED),
        ("en", "Mo", "what time is it momo", 1.0),
        ("en", "***", "what time is it", WHOLE),
        ("en", "Mr. Bear", "what time is it mr bear", WHOLE),
        ("zh", "小明", "小明 现在 几点", WHOLE),
        ("zh", "小明", "我 喜欢 小明", 1.0),
        ("fr", "L'Ours", "l'ours quelle heure est-il", WHOLE),
    ],
)
def test_the_characters_name_changes_no_pause(code: str, name: str, said: str, factor: float) -> None:
    turn_taking = TurnTaking(EndpointSettings(silence_s=USUAL), understood(code), names=[name])
    turn_taking.heard("And?" if factor == 1.0 else "")
    assert turn_taking.pause_after(said) == pytest.approx(USUAL * factor)


@pytest.mark.looptime
async def test_the_pauses_are_those_of_whoever_speaks() -> None:
    async with scene() as s:
        dialogue = s.conversation.dialogue
        s.character.learned_pause = 1.5
        assert dialogue.pause_after("my dog is called rex") == pytest.approx(1.5 * USUAL)
        s.listener.put(WAKE, said("hello"))
        await s.until("follow_up")
        assert s.character.learned_pause == pytest.approx(1.5 * WAS_OVER)
        # Whatever the memory says, it stays within bounds.
        s.character.learned_pause = 99.0
        assert dialogue.pause_after("my dog is called rex") == pytest.approx(LEARNED_MOST * USUAL)
