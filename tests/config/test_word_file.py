"""The `.ww` file: what is written is read again, and whatever else is there is told in one sentence."""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from companion.config.word_file import LARGEST, Card, SecondLook, WordFile, decoded, encoded, read, write
from companion.errors import ConfigError
from tests.support.own_words import own_word, second_look

FIRST_LINE = b"companion-wake-word 1\n"
WHOLE = encoded(own_word(second_look=second_look(), made={"seed": 1}))
FINITE = st.floats(-100, 100)
_ARRAY = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements=st.floats(-6e4, 6e4, width=16),
)


def problem(data: bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        decoded(data, "momo.ww")
    [sentence] = caught.value.problems
    assert sentence.startswith("momo.ww: ")
    assert "\n" not in sentence
    return sentence


def with_card(**changes: Any) -> bytes:
    """A whole file with another card."""
    first, card, rest = WHOLE.split(b"\n", 2)
    return b"\n".join([first, json.dumps({**json.loads(card), **changes}).encode(), rest])


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=0x3000, categories=["L", "Nd"]), min_size=1, max_size=80),
    st.dictionaries(st.text(max_size=8), _ARRAY, max_size=4),
    FINITE,
)
def test_what_is_written_is_read_again(phrase: str, values: dict[str, np.ndarray], threshold: float) -> None:
    word = WordFile(own_word(phrase, threshold=threshold).card, values)
    again = decoded(encoded(word), "momo.ww")
    assert (again.phrase, again.language, again.card.threshold) == (phrase, "en", threshold)
    assert list(again.arrays) == list(values)
    for name, value in values.items():
        assert np.array_equal(again.arrays[name], value)
        assert again.arrays[name].dtype == np.float32
    assert encoded(again) == encoded(word), "the same content gives the same bytes"


def test_it_lies_in_a_file(tmp_path: Path) -> None:
    write(tmp_path / "momo.ww", own_word())
    assert read(tmp_path / "momo.ww").card == decoded(encoded(own_word()), "").card
    assert (tmp_path / "momo.ww").stat().st_mode & 0o777 == 0o644, "the service reads it"


@given(st.binary())
def test_no_bytes_are_taken_for_a_word_by_accident(data: bytes) -> None:
    assert "companion wakeword train" in problem(data)


@given(st.binary(max_size=300))
def test_nor_any_behind_the_right_first_line(data: bytes) -> None:
    assert "damaged or cut off" in problem(FIRST_LINE + data)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=4))
def test_a_file_that_was_changed_is_a_word_or_refused(at: int, other: bytes) -> None:
    try:
        word = decoded(WHOLE[:at] + other + WHOLE[at + len(other) :], "momo.ww")
    except ConfigError:
        return
    assert all(np.isfinite(value).all() for value in word.arrays.values())


def test_one_that_was_cut_off_anywhere_is_refused() -> None:
    card_ends = WHOLE.index(b"\n", len(FIRST_LINE)) + 1
    for end in [*range(card_ends + 64), *range(card_ends + 64, len(WHOLE), 97), len(WHOLE) - 1]:
        problem(WHOLE[:end])
    assert "damaged or cut off" in problem(WHOLE + b"\0\0")


@pytest.mark.parametrize(
    "changes",
    [
        {"arrays": {"mean": [-1]}},
        {"arrays": {"mean": [0, 10**30]}},
        {"arrays": {"mean": [1] * 70}},
        {"arrays": {"mean": [65_536, 65_536, 65_536]}},
        {"arrays": {"mean": [0, 65_537]}},
        {"arrays": {"mean": [3.5]}},
        {"threshold": "NaN"},
        {"seconds": 1e9},
        {"context": 0},
        {"phrase": " "},
        {"phrase": "hey\nmomo"},
        {"phrase": "hey \u202e momo"},
        {"language": "../x"},
        {"second_look": {"pronunciations": ["MOMO"], "weight": 1, "center": 0, "scale": 1}},
        {"second_look": {"pronunciations": [""], "weight": 1, "center": 0, "scale": 1}},
        {"second_look": {"pronunciations": ["M OW"], "weight": 1, "center": 0, "scale": 0}},
        {"unheard_of": 1},
    ],
    ids=str,
)
def test_a_card_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    decoded(with_card(), "momo.ww")
    assert "damaged or cut off" in problem(with_card(**changes))


def test_numbers_that_are_none_are_refused() -> None:
    assert "damaged" in problem(WHOLE[:-2] + np.array([math.nan], "<f2").tobytes())
    assert "damaged" in problem(WHOLE[:-2] + np.array([math.inf], "<f2").tobytes())


def test_a_later_version_is_told_as_such() -> None:
    assert "newer version; install that here" in problem(WHOLE.replace(b"word 1", b"word 2", 1))
    assert "is no wake word" in problem(WHOLE.replace(b"word 1", b"word x", 1))


def test_a_card_takes_no_more_memory_than_its_file() -> None:
    hostile = with_card(arrays={name: [65_536, 65_536] for name in "abc"})
    tracemalloc.start()
    try:
        problem(hostile)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder.ww").mkdir()
    (tmp_path / "huge.ww").touch()
    with (tmp_path / "huge.ww").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ConfigError, match=r"^there is no file /.*absent\.ww; name that of a word of your own"):
        read(tmp_path / "absent.ww")
    for name, words in (
        ("folder.ww", "is not a plain file"),
        ("huge.ww", "is far too long"),
    ):
        with pytest.raises(ConfigError) as caught:
            read(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: cannot be read ({words})")
        assert str(caught.value).endswith("; name a .ww file")


def test_phonemes_are_those_of_the_second_look() -> None:
    for one in ("HH EY M OW M OW", "ZH UH"):
        assert SecondLook(pronunciations=(one,), weight=1, center=0, scale=1)
    assert Card.model_validate(own_word().card.model_dump()) == own_word().card


def test_the_second_look_counts_for_two_deviations_at_most() -> None:
    look = SecondLook(pronunciations=("M OW",), weight=3, center=-2, scale=0.5)
    shares = [look.share(score) for score in (-8.0, -2.5, -2.0, -1.75, 0.0)]
    assert (shares, look.most) == ([-6.0, -3.0, 0.0, 1.5, 6.0], 6.0)
