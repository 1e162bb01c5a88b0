"""The files that the voice reads, of every language there is: whole, sound, and each word of them of use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from companion.events import EMOTIONS, GESTURES, Cue
from companion.languages.language import Language, language
from companion.languages.loader import language_codes
from companion.languages.stage import Denial, Directions, Forms, People, Strings
from companion.languages.understood import Understood, understood
from companion.voice.stage.lexicon import Feeling, lexicon
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.stage import Stage

CODES = language_codes()
WITH_DIRECTIONS = [code for code in CODES if language(code).directions != Directions()]


def alone(code: str) -> Understood:
    """The language without those that are understood beside it."""
    return Understood((language(code),))


def terms(one: Language) -> Iterator[tuple[str, Feeling | None]]:
    """Every word of the directions with what it means; None for what is silent."""
    yield from ((word, None) for word in one.directions.silent)
    for row in one.directions.meaning:
        yield from ((word, Feeling(row.emotion, row.gesture, row.intensity)) for word in row.words)


def written(term: str) -> str:
    return term.replace("-_", " ").removesuffix("-").replace("_", " ")


@pytest.mark.parametrize("code", CODES)
def test_every_emotion_and_gesture_exists(code: str) -> None:
    one = language(code)
    for row in (*one.directions.meaning, *one.feelings.sign):
        assert row.emotion in (None, *EMOTIONS)
        assert row.gesture in (None, *GESTURES)
        assert row.emotion or row.gesture
        assert 0 < row.intensity <= 1
    assert all(0.3 <= sign.intensity <= 0.5 for sign in one.feelings.sign)
    assert all(degree.factor > 0 for degree in one.directions.degree)


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_every_emotion_and_gesture_can_be_told(code: str) -> None:
    rows = language(code).directions.meaning
    assert set(EMOTIONS) - {row.emotion for row in rows} == set()
    assert set(GESTURES) - {row.gesture for row in rows} == set()


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_a_word_stands_once_and_in_small_letters(code: str) -> None:
    counts = Counter(word for word, _ in terms(language(code)))
    assert [word for word, count in counts.items() if count > 1] == []
    assert [word for word in counts if word != word.casefold()] == []


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_every_word_is_found_as_it_is_written(code: str) -> None:
    """No other word of its own language, and no silent one of another that is understood, hides it."""
    for languages in (alone(code), understood(code)):
        known = lexicon(languages)
        lost = []
        for term, feeling in terms(languages.own):
            if languages.own.directions.read == "strings":
                found = known.strings.strings[term.replace("_", " ")].feeling
            elif "_" in term:
                phrase = tuple(term.split("_"))
                phrases = known.words.look_up(phrase[0].removesuffix("-")).phrases
                found = next(meaning.feeling for words, meaning in phrases if words == phrase)
            else:
                meaning = known.words.look_up(term.removesuffix("-")).meaning
                found = meaning.feeling if meaning else None
            if found != feeling:
                lost.append((term, found))
        assert lost == []


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_nearly_every_word_alone_is_a_direction(code: str) -> None:
    """A few say something only in their place: `no one`."""
    languages = alone(code)
    told = [term for term, feeling in terms(languages.own) if feeling]
    lost = [term for term in told if read_direction(written(term), languages=languages) is None]
    assert len(lost) <= len(told) * 0.02, lost


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_tables_are_those_of_the_way_of_reading(code: str) -> None:
    directions = language(code).directions
    if directions.read == "words":
        assert directions.strings == Strings()
    else:
        assert (directions.denial, directions.people, directions.forms) == (Denial(), People(), Forms())


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_what_is_denied_or_done_by_others_says_nothing(code: str) -> None:
    languages = alone(code)
    directions = languages.own.directions
    plain = [word for row in directions.meaning for word in row.words if word.isalpha()]
    shown = next(word for word in plain if read_direction(word, languages=languages))
    feeling = read_direction(shown, languages=languages)
    texts = [f"{written(word)} {shown}" for word in (*directions.denial.words, *directions.people.others)]
    texts += [f"{shown} {written(word)}" for word in (*directions.denial.behind, *directions.denial.behind_within)]
    # A phrase may say what the opposite of a word is: `tidak puas`.
    assert [text for text in texts if read_direction(text, languages=languages) == feeling] == []


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_degree_words_weaken_and_strengthen(code: str) -> None:
    languages = alone(code)
    factors = lexicon(languages).factors
    assert min(factors.values()) < 1 < max(factors.values())
    counts = Counter(word for degree in languages.own.directions.degree for word in degree.words)
    assert [word for word, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("code", CODES)
def test_emphasised_words_are_spoken(code: str) -> None:
    sample = language(code).general.sample
    for text in (f"**{sample}**", f"_{sample}_ {sample}", f"{sample} **{sample}**"):
        spoken, cues = pieces([text], code)
        assert spoken.count(sample) == text.count(sample)
        assert cues == []


@pytest.mark.parametrize("code", WITH_DIRECTIONS)
def test_how_an_answer_is_cut_changes_nothing(code: str) -> None:
    one = language(code)
    some = islice((written(term) for term, feeling in terms(one) if feeling), 0, None, 97)
    for words in some:
        for text in (f"({words}) {one.general.sample}", f"_{words}_ {one.general.sample}", f"**{words}.**\n{words}"):
            assert pieces(list(text), code) == pieces([text], code), text


@pytest.mark.parametrize("code", CODES)
def test_abbreviations_are_small_and_without_their_last_stop(code: str) -> None:
    speech = language(code).speech
    for word in speech.abbreviations | speech.abbreviations_at_end:
        assert word == word.casefold().rstrip(".")


def pieces(deltas: list[str], code: str) -> tuple[str, list[Cue]]:
    stage = Stage("", understood(code))
    found = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
    return "".join(one for one in found if isinstance(one, str)), [one for one in found if isinstance(one, Cue)]
