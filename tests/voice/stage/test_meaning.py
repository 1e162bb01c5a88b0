"""What a direction tells the body: words to emotion, gesture and intensity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import EMOTIONS, GESTURES
from companion.languages.language import language
from companion.voice.stage.lexicon import Feeling
from companion.voice.stage.meaning import read_direction
from tests.support.paths import SHARED


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("smiles", "happy", None),
        ("Smiling.", "happy", None),
        ("grinned from ear to ear", "happy", None),
        ("laughs nervously", "worried", None),
        ("smiles sadly", "sad", None),
        ("waves and smiles", "happy", "wave"),
        ("shakes his big, heavy head", None, "shake_head"),
        ("tilts head curiously", "interested", "tilt_head"),
        ("can't help but laugh", "amused", None),
        ("jumps up and down excitedly", "excited", "jump"),
        ("looks down at the floor, blushing", "embarrassed", "look_down"),
        ("微笑", "happy", None),
        ("苦笑", "sad", None),
        ("忍不住笑了", "happy", None),
        ("点点头，温柔地说", "affectionate", "nod"),
        ("怒道", "angry", None),
        ("歪着头想了想", "thoughtful", "tilt_head"),
        ("にっこり笑って手を振る", "happy", "wave"),
        ("首をかしげる", None, "tilt_head"),
        ("照れながら", "embarrassed", None),
        ("tersenyum lebar", "happy", None),
        ("menggelengkan kepalanya", None, "shake_head"),
        ("memeluk erat", "affectionate", "hug"),
        ("menangis tersedu-sedu", "sad", None),
    ],
)
def test_meaning(text: str, emotion: str | None, gesture: str | None) -> None:
    feeling = read_direction(text)
    assert feeling is not None
    assert (feeling.emotion, feeling.gesture) == (emotion, gesture)


BUSINESS = [
    "aside",
    "to Pickering",
    "He crosses to the door",
    "A pause.",
    "sits down on the sofa",
    "道",
    "说道",
    "坐下",
]


DENIALS = [
    "doesn't smile",
    "never laughs",
    "stops crying",
    "不笑",
    "没有哭",
    "笑わない",
    "tidak tersenyum",
    "tanpa menangis",
]


@pytest.mark.parametrize("text", [*BUSINESS, *DENIALS, "", "Paris", "8:30"])
def test_stage_business_and_denials_say_nothing(text: str) -> None:
    assert read_direction(text) is None


@pytest.mark.parametrize(
    ("weaker", "plain", "stronger"),
    [
        ("smiles slightly", "smiles", "smiles broadly"),
        ("微微点头", "点头", "用力点头"),
        ("ちょっと笑う", "笑う", "大きく笑う"),
        ("sedikit sedih", "sedih", "sedih sekali"),
    ],
)
def test_degree(weaker: str, plain: str, stronger: str) -> None:
    strengths = [feeling.intensity for feeling in map(read_direction, (weaker, plain, stronger)) if feeling]
    assert len(strengths) == 3
    assert strengths == sorted(set(strengths))


@pytest.mark.parametrize(
    "text",
    [
        "you smile",
        "You laugh and clap",
        "when you cry",
        "makes you laugh",
        "sees your smile",
        "The children laugh",
        "everyone cheers",
        "they hug",
        "laughter is heard offstage",
        "Enter Anna, laughing",
        "To HAPPY DAN",
        "tears the letter in two",
        "far from happy",
        "smiles no more",
        "你笑了",
        "逗你笑",
        "大家都笑了",
        "你的眼泪",
        "笑不出来",
        "みんなが笑う",
        "君が泣く",
        "笑わせる",
        "嬉しくない",
        "kamu tersenyum",
        "membuatmu tertawa",
        "mereka tertawa",
        "lampu padam, semua gembira",
    ],
)
def test_what_others_do_and_what_is_not_says_nothing(text: str) -> None:
    assert read_direction(text) is None


@pytest.mark.parametrize(
    ("text", "emotion", "gesture"),
    [
        ("She smiles at you", "happy", None),
        ("smiles as you laugh", "happy", None),
        ("returns your smile", "happy", None),
        ("waits until you stop crying, then smiles", "happy", None),
        ("looks at you happily", "happy", None),
        ("tries not to laugh", "amused", None),
        ("not angry but sad", "sad", None),
        ("hugs you", "affectionate", "hug"),
        ("wipes away your tears", "affectionate", None),
        ("看着你笑了笑", "happy", None),
        ("擦去你的眼泪", "affectionate", None),
        ("不高兴", "disappointed", None),
        ("memelukmu", "affectionate", "hug"),
        ("tak bisa menahan tawa", "amused", None),
    ],
)
def test_what_the_character_does_to_others_is_its_own(text: str, emotion: str, gesture: str | None) -> None:
    feeling = read_direction(text)
    assert feeling is not None
    assert (feeling.emotion, feeling.gesture) == (emotion, gesture)


def test_another_name_is_somebody_else_where_the_own_is_known() -> None:
    assert read_direction("Anna smiles", "Teddy") is None
    assert read_direction("Anna smiles") is not None
    assert read_direction("Teddy smiles", "Teddy Bear") is not None
    assert read_direction("Smiles", "Teddy") is not None
    assert read_direction("Gently waves", "Teddy") is not None


@pytest.mark.parametrize(("code", "least"), [("en", 2600), ("id", 1100), ("zh", 2800), ("ja", 1800)])
def test_hundreds_of_ways_in_each_language(code: str, least: int) -> None:
    assert sum(len(row.words) for row in language(code).directions.meaning) > least


REFERENCE = SHARED / "reference"


@pytest.mark.parametrize(("language", "share"), [("zh", 0.6), ("en", 0.35)])
def test_real_directions_are_understood(language: str, share: float) -> None:
    path = REFERENCE / f"directions_{language}.tsv"
    if not path.exists():
        pytest.skip("the reference lists are not beside this checkout")
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    assert sum(read_direction(text) is not None for _, text in rows) > share * len(rows)


@given(st.text(max_size=120))
def test_any_direction_gives_a_sound_feeling_or_none(text: str) -> None:
    feeling = read_direction(text)
    assert feeling is None or _is_sound(feeling)


def test_every_emotion_and_gesture_can_be_asked_for_by_its_own_words() -> None:
    english = {emotion: emotion for emotion in EMOTIONS} | {"content": "contented", "neutral": None}
    for emotion, word in english.items():
        if word is not None:
            assert read_direction(word) is not None, emotion
    for gesture in GESTURES:
        feeling = read_direction(gesture.replace("_", " "))
        assert feeling is not None, gesture
        assert feeling.gesture == gesture


def _is_sound(feeling: Feeling) -> bool:
    known = feeling.emotion in (None, *EMOTIONS) and feeling.gesture in (None, *GESTURES)
    return known and bool(feeling.emotion or feeling.gesture) and 0 < feeling.intensity <= 1
