"""What the files of a new language can say: here pieces of German, French, Korean and Thai, made up for the tests."""

from __future__ import annotations

from typing import Any

import pytest

from companion.events import Cue
from companion.languages.language import Language, language
from companion.languages.stage import Directions, Emphasis, Feelings, Speech
from companion.languages.understood import Understood
from companion.voice.sentences import Sentences
from companion.voice.stage.inference import infer_cues
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage

SMILE = {"emotion": "happy", "intensity": 0.6}
LAUGH = {"emotion": "amused", "intensity": 0.7}
NOD = {"gesture": "nod", "intensity": 0.6}
WAVE = {"gesture": "wave", "intensity": 0.6}


def device(
    directions: dict[str, Any] | None = None,
    emphasis: dict[str, Any] | None = None,
    feelings: dict[str, Any] | None = None,
    speech: dict[str, Any] | None = None,
) -> Understood:
    """A device whose persona speaks a language with these files, and that understands English beside it."""
    new = Language("new")
    new.general = language("en").general
    new.directions = Directions.model_validate(directions or {})
    new.emphasis = Emphasis.model_validate(emphasis or {})
    new.feelings = Feelings.model_validate(feelings or {})
    new.speech = Speech.model_validate(speech or {})
    return Understood((new, language("en")))


GERMAN = device(
    {
        "read": "words",
        "silent": "kind no",
        "passed_over": r"bringt \w+ zum \w+",
        "meaning": [
            {**SMILE, "words": "lächeln"},
            {**LAUGH, "words": "lachen kicher-"},
            {**NOD, "words": "nicken"},
            {**WAVE, "words": "wink-_zu"},
        ],
        "degree": [{"factor": 1.4, "words": ["stark-"]}],
        "denial": {"words": "nicht", "behind_within": "nicht"},
        "clauses": {"coordinate": "und"},
        "people": {"others": "du", "yours": "dein-"},
        "forms": {"endings": {"t": ["n", "en"], "nd": ["n"]}},
    },
    {"present": r"[a-zäöü]{2,}t\b", "doing": r"[a-zäöü]{2,}nd\b", "only_known": True, "capital_nouns": True},
    {"silent": r"^um\b"},
    {"dotted_ordinals": True, "abbreviations": "bzw"},
)


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("lächelt", "happy", None),
        ("kichernd", "amused", None),
        ("winkt dir lange zu", None, "wave"),
        ("nickt und lacht nicht", None, "nod"),
        ("lächelt dich nicht an", None, None),
        ("du lachst", None, None),
        ("deinem Lachen", None, None),
        ("bringt dich zum Lachen", None, None),
        ("das Kind nickt", None, "nod"),
        ("no nickt", None, "nod"),
        ("waves", None, "wave"),
    ],
)
def test_words_by_endings_and_beginnings(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text, languages=GERMAN)
    assert (feeling and feeling.emotion, feeling and feeling.gesture) == (emotion, gesture)


def test_degree_words_may_be_beginnings() -> None:
    plain, stronger = (read_direction(text, languages=GERMAN) for text in ("lacht", "lacht stärker als starke"))
    assert plain is not None
    assert stronger is not None
    assert stronger.intensity > plain.intensity


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("_lächelt_ Hallo!", "Hallo!"),
        ("_Nickt und hebt die Hand._ Ja.", "Ja."),
        ("_das ist alles_ Ja.", "das ist alles Ja."),
        ("_mais oui_ Ja.", "mais oui Ja."),
        ("Das ist _nicht_ gut.", "Das ist nicht gut."),
    ],
)
def test_where_forms_do_not_tell_a_verb_only_known_words_are_directions(text: str, spoken: str) -> None:
    assert said(text, GERMAN) == spoken


def test_a_language_may_silence_signs_of_another() -> None:
    assert [cue.emotion for cue in infer_cues("Um, let me see.", device())] == ["thoughtful"]
    assert infer_cues("Um zwei gehe ich.", GERMAN) == ()


def test_a_full_stop_may_make_an_ordinal() -> None:
    assert sentences("Am 3. Mai. Ja, bzw. Nein.", GERMAN) == ["Am 3. Mai.", "Ja, bzw. Nein."]
    assert sentences("I am 3. Mia is 4.", device()) == ["I am 3.", "Mia is 4."]


def test_elisions_are_words_of_their_own() -> None:
    french = device(
        {
            "meaning": [{**NOD, "words": "incline"}, {**SMILE, "words": "souri- air_content"}],
            "denial": {"words": "ne n'"},
            "forms": {"elisions": ["s'", "n'", "l'"]},
        }
    )
    assert read_direction("s'incline", languages=french) == (None, "nod", 0.6)
    assert read_direction("l'air content", languages=french) == ("happy", None, 0.6)
    assert read_direction("n'a pas souri", languages=french) is None


def test_writing_with_blanks_and_without_capitals() -> None:
    korean = device(
        {
            "meaning": [{**SMILE, "words": "웃-"}, {**NOD, "words": "고개-_끄덕-"}, {**LAUGH, "words": "웃음-"}],
            "silent": "웃옷-",
            "denial": {"words": "안", "behind_within": "않-"},
        },
        {"present": r".*(?:며|다)\b", "only_known": True},
    )
    assert read_direction("웃으며", languages=korean) == ("happy", None, 0.6)
    assert read_direction("웃음을 터뜨린다", languages=korean) == ("amused", None, 0.7)
    assert read_direction("고개를 살짝 끄덕인다", languages=korean) == (None, "nod", 0.6)
    for text in ("웃지 않는다", "안 웃는다", "웃옷을 입는다", "이웃을 본다"):
        assert read_direction(text, languages=korean) is None
    assert said("_웃으며_ 안녕!", korean) == "안녕!"
    assert said("음, _고개를 끄덕이며_ 좋아.", korean) == "음, 좋아."
    assert said("_행복한_ 하루", korean) == "행복한 하루"
    assert said("안녕ㅋㅋㅋ 잘 가 ㅠㅠ", korean) == "안녕 잘 가"


def test_strings_may_count_at_the_beginning_of_a_word_alone() -> None:
    meaning = [{**SMILE, "words": "웃 크게_웃"}]
    anywhere = device({"read": "strings", "meaning": meaning})
    beginning = device({"read": "strings", "meaning": meaning, "strings": {"begin_words": True}})
    assert read_direction("이웃", languages=anywhere) is not None
    assert read_direction("이웃", languages=beginning) is None
    assert read_direction("크게 웃는다", languages=beginning) == ("happy", None, 0.6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("„Hallo.“ Er ging. „Ja!“ sagte sie.", ["„Hallo.“", "Er ging.", "„Ja!“", "sagte sie."]),
        ("« Bonjour. » Il rit. « Oui ! » Et lui.", ["« Bonjour. »", "Il rit.", "« Oui ! »", "Et lui."]),
        ("»Hallo.« Er ging.", ["»Hallo.«", "Er ging."]),
        ("¿Qué tal? ¡Hola! Bien.", ["¿Qué tal?", "¡Hola!", "Bien."]),
        ("안녕하세요. 반가워요! 네.", ["안녕하세요.", "반가워요!", "네."]),
    ],
)
def test_quotation_marks_of_other_languages_close_a_sentence(text: str, expected: list[str]) -> None:
    assert sentences(text, device(speech={"closing_quotes": "“ «"})) == expected


def said(text: str, languages: Understood) -> str:
    stage = Stage("", languages)
    return "".join(piece for piece in stage.feed(text) + stage.close() if not isinstance(piece, Cue))


def sentences(text: str, languages: Understood) -> list[str]:
    reading = Sentences(first_clause=False, languages=languages)
    return [one.text for one in reading.feed(text) + reading.close()]
