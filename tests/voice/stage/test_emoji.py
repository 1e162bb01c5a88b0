"""Emoji, emoticons and kaomoji: none is spoken, and each means what it should."""

from __future__ import annotations

import pytest

from companion.events import EMOTIONS, GESTURES
from companion.voice.stage.emoji import EMOJI_FEELINGS, FACES, XIAOZHI_EMOTIONS, feeling_of_emoji, feeling_of_face
from companion.voice.stage.lexicon import Feeling
from tests.support.staging import played, said


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


def _is_sound(feeling: Feeling) -> bool:
    known = feeling.emotion in (None, *EMOTIONS) and feeling.gesture in (None, *GESTURES)
    return known and bool(feeling.emotion or feeling.gesture) and 0 < feeling.intensity <= 1
