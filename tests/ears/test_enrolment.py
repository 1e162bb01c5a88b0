"""A wake word learns from recordings: the owner is heard better, others not worse, and bad recordings are refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.config.word_file import WordFile, decoded, encoded
from companion.ears.wake_custom.enrolment import check, enrolled
from companion.ears.wake_custom.head import Head
from companion.ears.wake_custom.recordings import Finder, Found, Samples, fault
from companion.errors import ConfigError, SpeechError
from tests.support.small_word import PHRASE, heard, networks, said, small_word
from tests.support.voices import needs_espeak

pytestmark = [needs_espeak, pytest.mark.time_limit(60)]

OWNS = [(150, 1.0), (160, 0.5), (170, 0.3), (155, 0.8), (165, 0.6)]


@cache
def recordings() -> tuple[Samples, ...]:
    return tuple(said(PHRASE, speed=speed, level=level) for speed, level in OWNS)


@cache
def learnt() -> WordFile:
    return enrolled(small_word(), recordings(), networks=networks())


def finder() -> Finder:
    word = small_word()
    return Finder(Head(word.arrays, word.card.context), networks(), word.card.seconds)


def judged(samples: Samples, good: list[Found]) -> str | None:
    return fault(samples, finder().find(samples), small_word().arrays["word"], good)


def test_the_owner_is_heard_better() -> None:
    for speed, level in ((145, 0.2), (180, 0.4)):
        again = said(PHRASE, speed=speed, level=level)
        assert heard(learnt(), again) > heard(small_word(), again) + 0.05
        assert heard(learnt(), again) > 0


@pytest.mark.parametrize("text", ["the weather is fine", "seven yellow lemons", "good morning everybody"])
def test_other_words_wake_it_as_little_as_before(text: str) -> None:
    for voice in ("en-us+m3", "en-gb-scotland+f2"):
        assert heard(learnt(), said(text, voice)) < 0


def test_the_same_recordings_give_the_same_file() -> None:
    assert encoded(enrolled(small_word(), recordings(), networks=networks())) == encoded(learnt())


def test_learning_that_nobody_wants_any_more_ends() -> None:
    with pytest.raises(SpeechError, match="nothing was changed"):
        enrolled(small_word(), recordings(), networks=networks(), is_wanted=lambda: False)


def test_a_second_enrolment_adds_to_the_first() -> None:
    written = decoded(encoded(learnt()), "x")
    twice = enrolled(written, recordings()[:2], networks=networks())
    assert (written.card.enrolled, twice.card.enrolled) == (5, 7)
    assert len(twice.arrays["own"]) > len(written.arrays["own"]) > 0
    assert heard(twice, recordings()[0]) > 0


def test_enrolments_upon_enrolments_do_not_forget_what_the_word_was_made_from() -> None:
    word = learnt()
    for _ in range(3):
        word = enrolled(word, recordings(), networks=networks())
    for name in ("w1", "b1", "w2", "b2"):
        np.testing.assert_allclose(word.arrays[f"first_{name}"], small_word().arrays[name])
    # Fifteen recordings more raise it by 0.375, whatever is forgotten.
    assert word.card.threshold < learnt().card.threshold + 0.375 + 0.5


def test_no_more_other_sounds_are_above_the_threshold_than_before() -> None:
    def above(word: WordFile) -> int:
        head = Head(word.arrays, word.card.context)
        return int((head.of_projected(small_word().arrays["others"]) > word.card.threshold).sum())

    # Lower, so that there is something to count.
    card = small_word().card.model_copy(update={"threshold": small_word().card.threshold - 3.0})
    before = WordFile(card, small_word().arrays)
    assert above(before) > 0
    assert above(enrolled(before, recordings(), networks=networks())) <= above(before)


def test_each_recording_raises_the_threshold() -> None:
    before, after = small_word().card, learnt().card
    assert after.threshold >= before.threshold + 5 * 0.025
    assert after.threshold_alone >= before.threshold_alone + 5 * 0.0125


@pytest.mark.parametrize(("name", "shape"), [("first_w1", (1, 2, 3)), ("first_thresholds", (3,))])
def test_first_networks_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...]) -> None:
    damaged = WordFile(learnt().card, dict(learnt().arrays) | {name: np.zeros(shape, np.float32)})
    with pytest.raises(ConfigError, match=r"^toy\.ww: .*wakeword train$"):
        check(damaged, "toy.ww")


def test_what_the_room_says_wakes_it_less() -> None:
    television = np.concatenate([said("hey starving carving marble", "en-us+m3"), said("hey marble", "en-us+f4")] * 2)
    after = enrolled(small_word(), (), [television], networks=networks())
    assert heard(after, television) < heard(small_word(), television) - 0.2
    assert after.card.enrolled == 0


def test_a_recording_without_a_word_is_passed_over() -> None:
    silent = np.zeros(32_000, np.int16)
    assert enrolled(small_word(), [*recordings()[:1], silent], networks=networks()).card.enrolled == 1


@pytest.mark.parametrize("missing", ["word", "others", "directions"])
def test_a_file_with_nothing_to_learn_with_is_refused(missing: str) -> None:
    word = small_word()
    arrays = {name: value for name, value in word.arrays.items() if name != missing}
    with pytest.raises(ConfigError, match=r"^toy\.ww: .*wakeword train$"):
        check(WordFile(word.card, arrays), "toy.ww")


def test_good_recordings_are_taken() -> None:
    good: list[Found] = []
    for samples in recordings():
        assert judged(samples, good) is None
        found = finder().find(samples)
        assert found is not None
        good.append(found)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.zeros(0, np.int16), "nothing"),
        (np.zeros(32_000, np.int16), "nothing"),
        (np.random.default_rng(1).normal(0, 300, 32_000).astype(np.int16), "nothing"),
        (lambda: said(PHRASE, level=0.012), "quiet"),
        (lambda: said(PHRASE, level=12.0), "loud"),
        (lambda: said("good morning everybody"), "different"),
        (lambda: said("computer"), "different"),
    ],
    ids=["no_sound", "silence", "noise", "quiet", "loud", "other_words", "other_word"],
)
def test_bad_recordings_are_named(samples: object, expected: str) -> None:
    assert judged(samples() if callable(samples) else samples, []) == expected  # type: ignore[arg-type]


def test_the_word_is_found_beside_clicks() -> None:
    word = recordings()[0]
    clicks = np.zeros(24_000, np.int16)
    clicks[4000:4800] = 20_000
    found = finder().find(np.concatenate([clicks, word, clicks]))
    alone = finder().find(word)
    assert found is not None
    assert alone is not None
    assert abs(found.end - 24_000 - alone.end) <= 800


@settings(max_examples=12, deadline=None)
@given(
    pieces=st.lists(
        st.tuples(
            st.integers(0, 32_000),
            st.sampled_from([0.0, 1.0, 300.0, 9000.0, 1e6]),
            st.sampled_from(["noise", "word", "click", "constant"]),
        ),
        max_size=3,
    ),
    room=st.booleans(),
)
def test_whatever_is_recorded_the_file_can_be_written_and_read_again(
    pieces: list[tuple[int, float, str]], room: bool
) -> None:
    recorded = [_sound(*one) for one in pieces]
    after = enrolled(small_word(), recorded, recorded if room else (), networks=networks())
    assert np.isfinite([after.card.threshold, after.card.threshold_alone]).all()
    again = decoded(encoded(after), "x")
    assert encoded(again) == encoded(after)
    assert set(again.arrays) == set(after.arrays)
    check(again, "x")


def _sound(length: int, level: float, kind: str) -> Samples:
    sound = np.random.default_rng(length).normal(0, level, length)
    if kind == "word":
        sound = sound * 0.01 + np.resize(recordings()[0], length)
    elif kind == "click":
        sound *= np.arange(length) % 8000 < 2000
    elif kind == "constant":
        sound = np.full(length, level)
    return np.clip(sound, -32_768, 32_767).astype(np.int16)
