"""Names in sentences that go on: "i'm ana and my dog is called rex". Precision first: ordinary talk names nobody."""

from __future__ import annotations

import pytest

from companion.languages.language import language
from companion.mind.memory.introductions import introduced_name

ENGLISH = (language("en"),)


def who(said: str) -> str | None:
    return introduced_name(said, ENGLISH, (), ("Momo",))


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("I'm Ana and my dog is called Rex", "Ana"),
        ("i'm ana and i'm five", "Ana"),
        ("I'm Mia, tell me a story", "Mia"),
        ("hello momo i'm mia can you sing", "Mia"),
        ("i am ben and i like trains", "Ben"),
        ("Ana here", "Ana"),
        ("hi momo ben here", "Ben"),
    ],
)
def test_a_name_counts_whatever_is_said_behind_it(said: str, name: str) -> None:
    assert who(said) == name


STATES = (
    *("hungry", "five", "batman", "sorry", "fun", "tired", "ready", "scared", "bored", "happy", "sad", "cold", "hot"),
    *("done", "home", "late", "fine", "good", "great", "sick", "sleepy", "lost", "superman", "playing", "eating"),
)
FORMS = (
    *("i'm {}", "I'm {} and my dog is called Rex", "i'm {} and i want mama", "I'm {}, tell me a story"),
    *("i'm {} can you sing", "this is {}", "{} here", "i am {} and i love ana"),
)
OTHER_TALK = """
come here
look here
over here
right here
summer here
june here
hope here
this is rex
this is will
ana is here
is ana here
my brother ana here
rex here boy
i'm with ben
i'm with ben and i want to play
i'm not ana and my dog is called rex
i'm ana's brother and i want to play
i'm christian and i love jesus
i'm frank and i have to say so
pretend i'm ana and i want to play
if i'm ana and you are ben
are you ana here
i'm mark my words
""".strip().splitlines()


def test_ordinary_talk_names_nobody() -> None:
    talk = [*(form.format(word) for form in FORMS for word in STATES), *OTHER_TALK]
    assert len(talk) > 200
    assert {said: name for said in talk if (name := who(said))} == {}
