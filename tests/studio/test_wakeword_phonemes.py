"""How a phrase is said, what sounds near it, and which phrases make good wake words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.wakeword.advice import better, in_use, warnings
from studio.wakeword.language import codes, word_language
from studio.wakeword.phonemes import Phonemes, distance, english, near, phonemes, pronunciations
from tests.support.voices import needs_espeak

SOUNDS = st.lists(st.sampled_from(["p", "t", "k", "a", "i:", "oU", "m"]), max_size=8)


@needs_espeak
def test_a_phrase_is_taken_apart_into_its_sounds() -> None:
    spoken = phonemes("hey momo", "en-us")
    assert spoken.sounds == ("h", "eI", "m", "oU", "m", "oU")
    assert phonemes(spoken.spelled(), "en-us").sounds == spoken.sounds, (
        "espeak-ng says the phonemes as it says the words"
    )


@needs_espeak
def test_what_sounds_near_a_phrase_is_another_one() -> None:
    spoken = phonemes("computer", "en-us")
    inventory = phonemes("the quick brown fox jumps over a lazy dog", "en-us").sounds
    random = np.random.default_rng(1)
    for _ in range(200):
        other = near(spoken, inventory, random)
        assert other.sounds, "something is said"
        assert distance(spoken.sounds, other.sounds) >= 1


@given(SOUNDS, SOUNDS, SOUNDS)
def test_distance_is_a_distance(one: list[str], other: list[str], third: list[str]) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, third) <= distance(one, other) + distance(other, third)


@given(st.text(max_size=40))
def test_any_text_has_english_phonemes_or_none(text: str) -> None:
    assert all(one.isalpha() and one.isupper() for one in english(text).split())


@needs_espeak
@pytest.mark.parametrize(
    ("phrase", "voice", "language", "spoken"),
    [
        ("computer", "en-us", "en", "K AH M P Y UW T ER"),
        ("hey momo", "en-us", "en", "HH EY M OW M OW"),
        ("你好小白", "cmn-latn-pinyin", "zh", "N IY HH AW SH Y AW P AY"),
        ("ねえモモ", "ja", "ja", "N EH EH M OW M OW"),
        ("hallo moritz", "de", "de", "HH AA L OW M OW R IH T S"),
        ("hai momo", "id", "id", "HH AY M OW M OW"),
    ],
)
def test_pronunciations_of_the_second_look(phrase: str, voice: str, language: str, spoken: str) -> None:
    assert spoken in pronunciations(phrase, voice, language)


@needs_espeak
def test_a_short_a_common_and_a_similar_phrase_are_warned_of() -> None:
    english_words = word_language("en")
    others = in_use(english_words)
    assert "too short" in warnings("bo", english_words, others)[0]
    assert any("too common" in one for one in warnings(english_words.common[0], english_words, others))
    assert any('"hey jarvis"' in one for one in warnings("hey jarviz", english_words, others))
    assert warnings("hey momo", english_words, others) == []


@needs_espeak
def test_better_phrases_contain_the_wanted_one_and_nothing_speaks_against_them() -> None:
    english_words = word_language("en")
    proposals = better("momo", english_words, in_use(english_words))
    assert proposals
    for one in proposals:
        assert "momo" in one
        assert warnings(one, english_words, in_use(english_words)) == []


@needs_espeak
@pytest.mark.parametrize("code", codes())
def test_every_language_can_be_trained_in(code: str) -> None:
    language = word_language(code)
    assert len(language.sentences) >= 60
    assert len(language.words) >= 90
    assert len(language.inventory) >= 15
    assert language.greetings
    assert all(phonemes(word, language.voice).words for word in language.greetings)


def test_empty_phonemes_are_spelled_as_nothing() -> None:
    assert Phonemes(()).sounds == ()
