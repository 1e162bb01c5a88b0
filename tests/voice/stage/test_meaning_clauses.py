"""Who does what a direction tells, what denies it, and which of its words count."""

from __future__ import annotations

from typing import Any

import pytest

from companion.languages.language import Language, language
from companion.languages.stage import Directions, Emphasis, Feelings, Speech
from companion.languages.understood import Understood
from companion.voice.stage.meaning import read_direction


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("you smile and I wave", None, "wave"),
        ("you laugh and then she nods", None, "nod"),
        ("everyone laughs but she smiles", "happy", None),
        ("you laugh, nods", None, "nod"),
        ("you laugh; nods", None, "nod"),
        ("nods, you laugh", None, "nod"),
        ("waves you smiling", None, "wave"),
        ("makes you smile happily", "happy", None),
        ("watches them happily", "happy", None),
        ("smiles at your", "happy", None),
        ("holds your hand smiling", "affectionate", None),
        ("mirrors your smile", "happy", None),
        ("answering your laugh", "amused", None),
        ("a laugh is heard as the door opens and she waves", None, "wave"),
        ("laughter is heard, waves", None, None),
        ("you laugh and nods", None, None),
        ("your happy smile", None, None),
        ("sees your big smile", None, None),
        ("makes her laugh", None, None),
        ("made him cry", None, None),
        ("hears you laugh", None, None),
        ("watches them dance", None, None),
    ],
)
def test_who_does_it(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text)
    assert (feeling and feeling.emotion, feeling and feeling.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("doesn’t smile", None, None),
        ("can’t help but laugh", "amused", None),
        ("never ever again smiles", None, None),
        ("not very very very happy", "happy", None),
        ("not happy and smiles", "happy", None),
        ("without smiling, waves", None, "wave"),
        ("waves and then smiles no more", None, "wave"),
        ("smiles and no more", "happy", None),
        ("stopped crying", None, None),
    ],
)
def test_how_far_a_denial_reaches(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text)
    assert (feeling and feeling.emotion, feeling and feeling.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("nods and shakes head", None, "nod"),
        ("shakes head and nods", None, "shake_head"),
        ("nods and nods", None, "nod"),
        ("hugged", "affectionate", "hug"),
        ("hummed", "happy", None),
        ("tearily", "sad", None),
        ("NODS", None, "nod"),
        ("HE NODS", None, "nod"),
        ("A nods", None, "nod"),
        ("the NODS dance", None, "dance"),
        ("to JO, waving", None, "wave"),
    ],
)
def test_forms_of_words_and_which_comes_first(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text)
    assert (feeling and feeling.emotion, feeling and feeling.gesture) == (emotion, gesture)


def test_the_degree_word_that_says_most_counts() -> None:
    very_little, a_lot = read_direction("smiles very slightly"), read_direction("smiles very broadly")
    assert very_little is not None
    assert a_lot is not None
    assert (very_little.intensity, a_lot.intensity) == (0.36, 0.84)


def made_up(**directions: Any) -> Understood:
    """A device that understands one language only, with this directions.toml."""
    new = Language("new")
    new.general = language("en").general
    new.directions = Directions.model_validate(directions)
    new.emphasis, new.feelings, new.speech = Emphasis(), Feelings(), Speech()
    return Understood((new,))


SORRY = {"emotion": "sad", "intensity": 0.6}
SMILE = {"emotion": "happy", "intensity": 0.6}
NOD = {"gesture": "nod", "intensity": 0.6}


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("sorriso", "happy", None),
        ("sorrindo", "happy", None),
        ("sorrows", "sad", None),
        ("sorr", "sad", None),
        ("sor", None, None),
        ("xa", None, "nod"),
        ("x", None, "nod"),
        ("sorrindo nada", None, None),
        ("sorrindo assim mesmo nada", None, None),
        ("sorrindo assim mesmo agora nada", "happy", None),
        ("sorrindo e nada", "happy", None),
        ("sorrindo, nada", "happy", None),
    ],
)
def test_of_two_beginnings_the_longer_one_wins_and_a_denial_may_follow(
    text: str, emotion: str | None, gesture: str | None
) -> None:
    device = made_up(
        meaning=[{**SORRY, "words": "sorr-"}, {**SMILE, "words": "sorri-"}, {**NOD, "words": "x-"}],
        denial={"behind_within": "nada"},
        clauses={"coordinate": "e"},
    )
    feeling = read_direction(text, languages=device)
    assert (feeling and feeling.emotion, feeling and feeling.gesture) == (emotion, gesture)


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("웃는다", "happy"),
        ("크게 웃는다", "happy"),
        ("비웃는다", None),
        ("가 비웃는다", None),
        ("고개 웃음", "sad"),
        ("비고개 웃음", "happy"),
    ],
)
def test_strings_of_spaced_writing_begin_a_word(text: str, emotion: str | None) -> None:
    device = made_up(
        read="strings",
        meaning=[{**SMILE, "words": "웃"}, {**SORRY, "words": "고개_웃"}],
        strings={"begin_words": True},
    )
    feeling = read_direction(text, languages=device)
    assert (feeling and feeling.emotion) == emotion
