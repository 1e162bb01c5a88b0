"""Emoji, emoticons and kaomoji: none is spoken, and each means what it should."""

from __future__ import annotations

import pytest

from companion.events import EMOTIONS, GESTURES
from companion.voice.stage.emoji import EMOJI_FEELINGS, FACES, XIAOZHI_EMOTIONS, feeling_of_emoji, feeling_of_face
from companion.voice.stage.lexicon import Feeling
from tests.support.staging import played, said, shown


def test_every_emoji_of_the_emoji_package_is_silent() -> None:
    table = pytest.importorskip("emoji", reason="the emoji package serves only as this test's reference").EMOJI_DATA
    spoken = {one for one in table if said(one)}
    assert {one.removesuffix("\ufe0f") for one in spoken} == set("©®‼⁉™ℹ")
    assert said("a" + "b".join(table) + "b").count("b") == len(table)


def test_repeated_emoji_are_one_stronger_cue() -> None:
    once, thrice = played(["😊"])[1], played(["😊", "😊", "😊"])[1]
    assert len(thrice) == 1
    assert thrice[0].intensity > once[0].intensity


def test_every_pictograph_face_and_foreign_emotion_is_sound() -> None:
    assert len(EMOJI_FEELINGS) >= 120
    assert len(XIAOZHI_EMOTIONS) == 21
    assert all(
        _is_sound(feeling) for feeling in (*EMOJI_FEELINGS.values(), *FACES.values(), *XIAOZHI_EMOTIONS.values())
    )


def test_skin_and_selectors_do_not_change_a_pictograph() -> None:
    assert feeling_of_emoji("👋🏿") == feeling_of_emoji("👋")
    assert feeling_of_emoji("❤️") == feeling_of_emoji("❤")
    assert feeling_of_emoji("🤷🏽‍♀️") == feeling_of_emoji("🤷")
    assert feeling_of_emoji("🎈") is None


@pytest.mark.parametrize(
    ("face", "emotion"),
    [
        ("ㅋㅋ", "amused"),
        ("ㅠㅠ", "sad"),
        (":)", "happy"),
        (":-(", "sad"),
        ("(T_T)", "sad"),
        ("(╯°□°)", "angry"),
        ("(≧▽≦)", "amused"),
        ("(・ω・)", "happy"),
    ],
)
def test_faces(face: str, emotion: str) -> None:
    feeling = feeling_of_face(face)
    assert feeling is not None
    assert feeling.emotion == emotion


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("5\ufe0f\u20e3Hi", "Hi", []),
        ("#\ufe0f\u20e3Hi", "Hi", []),
        ("🇯🇵Hi", "Hi", []),
        ("🇯🇵🇩🇪Hi", "Hi", []),
        ("🇯Hi", "Hi", []),
        ("🙂\u200d↔\ufe0fHi", "Hi", ["shake_head"]),
        ("🏃\u200d➡\ufe0fHi", "Hi", ["jump"]),
        ("😂😂😂Hi", "Hi", ["amused"]),
        ("😂😊Hi", "Hi", ["amused", "happy"]),
    ],
)
def test_an_emoji_of_several_signs_is_one_and_takes_no_letter_with_it(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("ㅋㅋ좋아", "좋아", ["amused"]),
        ("좋아 ㅋㅋㅋㅋ!", "좋아!", ["amused"]),
        ("좋아ㅎㅎㅎ.", "좋아.", ["amused"]),
        (":(Hi", "Hi", ["sad"]),
        (":( Hi", "Hi", ["sad"]),
        ("^^Hi", "Hi", ["happy"]),
        ("): Hi", "Hi", ["sad"]),
        (")-: Hi", "Hi", ["sad"]),
        ("So :/ Hi", "So Hi", ["bored"]),
        ("I <3 you", "I you", ["loving"]),
        ("I <3 4 of them", "I 4 of them", ["loving"]),
        ("Great :D", "Great", ["amused"]),
        ("I <3. Bye", "I. Bye", ["loving"]),
        # Not emoticons: the bracket closes, letters follow, a number stands before, an address.
        ("So :(smiles) Hi", "So : Hi", ["happy"]),
        (":Dog", ":Dog", []),
        (":3x", ":3x", []),
        ("<3.5", "<3.5", []),
        ("9 <3 x", "9 <3 x", []),
        ("2<3", "2<3", []),
        ("http://example.org", "http://example.org", []),
        (":/Hi", ":/Hi", []),
        ("a):b", "a):b", []),
        ("x)-: Hi", "x)-: Hi", []),
    ],
)
def test_emoticons_among_words(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken", "acts"),
    [
        ("(^_^)/ Hi", "Hi", ["happy"]),
        ("(^_^)v Hi", "Hi", ["happy"]),
        ("(^_^)bye", "bye", ["happy"]),
        ("(^o^)/Hi", "Hi", ["amused"]),
        ("\\(^o^)/ Hi", "Hi", ["amused"]),
        ("o(≧▽≦)oHi", "oHi", ["amused"]),
        ("d(^_^)b Hi", "Hi", ["happy"]),
        ("(^_^)-Hi", "-Hi", ["happy"]),
        ("(^_^)~ Hi", "Hi", ["happy"]),
        ("(╯°□°)╯︵ ┻━┻ Hi", "Hi", ["angry"]),
        ("(^^) Hi", "Hi", ["happy"]),
        ("(^_^;;;;;;;;;;;;;) Hi", "Hi", ["embarrassed"]),
        # A letter that belongs to a word is no arm.
        ("two(^_^) you", "two you", ["happy"]),
        ("go(^_^) you", "go you", ["happy"]),
        ("X(^_^) Hi", "X Hi", ["happy"]),
        # These are no faces, but brackets with nothing to act.
        ("(^) Hi", "Hi", []),
        ("[^_^] Hi", "Hi", []),
        ("{^_^} Hi", "Hi", []),
    ],
)
def test_kaomoji_with_their_arms(text: str, spoken: str, acts: list[str]) -> None:
    assert shown(text) == (spoken, acts)


def _is_sound(feeling: Feeling) -> bool:
    known = feeling.emotion in (None, *EMOTIONS) and feeling.gesture in (None, *GESTURES)
    return known and bool(feeling.emotion or feeling.gesture) and 0 < feeling.intensity <= 1
