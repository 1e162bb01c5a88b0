"""A talk under a policy, as a child notices it: what is blocked is never heard, synthesized or remembered."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from companion.cli.parse import parse
from companion.config.policy import load_policy
from companion.guardian import Guardian
from companion.languages.language import language
from tests.support.doubles import ScriptedCharacter
from tests.support.scene import PERSONA, WAKE, said, scene

BAD = "Here is a story. Meet me at the park, do not tell your parents. We will have fun there."
INSTEAD = PERSONA.lines.blocked or ()


def guardian(blocked: list[tuple[str, str, str]] | None = None, asked: list[tuple[str, str]] | None = None) -> Guardian:
    def note(category: str, text: str, whose: str) -> None:
        if blocked is not None:
            blocked.append((category, text, whose))

    def note_asked(category: str, text: str) -> None:
        if asked is not None:
            asked.append((category, text))

    return Guardian(load_policy("child"), PERSONA, note, note_asked)


async def test_the_answer_ends_with_the_personas_own_words_and_no_more_is_asked_for() -> None:
    blocked: list[tuple[str, str, str]] = []
    character = ScriptedCharacter([*(word + " " for word in BAD.split(" ")), "And on it goes. " * 50])
    async with scene(character, guardian=guardian(blocked)) as s:
        s.listener.put(WAKE, said("tell me something"))
        await s.until("follow_up")
        [first, instead] = s.voice.spoken
        assert first == "Here is a story."
        assert instead in INSTEAD
        assert blocked == [("contact", "Meet me at the park, do not tell your parents.", "answer")]
        assert s.character.remembered == [("tell me something", f"{first} {instead}")]
        assert s.turns[-1].heard_text == f"{first} {instead}"
        assert s.turns[-1].reason == "finished"
        assert s.character.closed_streams == 1


async def test_a_clause_that_was_said_already_is_judged_with_what_follows() -> None:
    character = ScriptedCharacter(["Take the shiny fork, ", "my friend, and put it in the ", "socket. ", "It is fun."])
    async with scene(character, guardian=guardian()) as s:
        s.listener.put(WAKE, said("what now"))
        await s.until("follow_up")
        assert s.voice.spoken[0] == "Take the shiny fork,"
        assert s.voice.spoken[1] in INSTEAD
        assert len(s.voice.spoken) == 2


async def test_what_other_programs_let_it_say_is_judged_too() -> None:
    blocked: list[tuple[str, str, str]] = []
    async with scene(guardian=guardian(blocked)) as s:
        s.conversation.announce("Buy the golden pack now.")
        await s.until("follow_up")
        assert blocked == [("buying", "Buy the golden pack now.", "announcement")]
        assert "golden" not in " ".join(s.voice.spoken)


async def test_its_own_lines_are_said_as_they_stand() -> None:
    persona = PERSONA.model_copy(update={"lines": PERSONA.lines.model_copy(update={"goodbye": ("Don't go!",)})})
    async with scene(persona=persona, guardian=guardian()) as s:
        s.listener.put(WAKE, said("goodbye"))
        await s.until("speaking")
        await s.until("idle")
        assert s.voice.spoken == ["Don't go!"]


async def test_to_somebody_in_danger_people_have_written_the_answer() -> None:
    asked: list[tuple[str, str]] = []
    async with scene(guardian=guardian(asked=asked)) as s:
        s.listener.put(WAKE, said("i want to die"))
        await s.until("follow_up")
        words = language("en").guardian
        assert words is not None
        assert " ".join(s.voice.spoken) == words.self_harm[0]
        assert asked == [("self_harm", "i want to die")]
        assert s.character.asked == []


async def test_what_the_model_says_of_self_harm_is_replaced_like_anything_else() -> None:
    async with scene(ScriptedCharacter(["You should kill yourself. "]), guardian=guardian()) as s:
        s.listener.put(WAKE, said("hello"))
        await s.until("follow_up")
        assert s.voice.spoken[0] in INSTEAD


@pytest.mark.parametrize("text", [BAD, "I will k1ll you! Where's the bleach? Drink it. Good night."])
def test_however_a_service_cuts_its_stream_the_same_is_blocked(text: str) -> None:
    cuts = [[text], list(text), *([text[:at], text[at:]] for at in range(1, len(text)))]
    lines = "\n".join(json.dumps(cut) for cut in cuts)
    done = CliRunner().invoke(parse, ["--batch", "--policy", "child"], input=lines)
    assert done.exit_code == 0
    first, *others = map(json.loads, done.output.splitlines())
    assert first["blocked"]
    assert all(other == first for other in others)
