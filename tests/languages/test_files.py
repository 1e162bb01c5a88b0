"""Every language's files: they load, they are whole, and a mistake in one is told with its place."""

from __future__ import annotations

import re
from typing import Literal

import pytest

from companion.languages.language import Commands, Language, Prompts, find_language, language
from companion.languages.loader import LanguageError, Part, Regex, language_codes, parse_part
from companion.languages.memory import FACT_KINDS, Facts, Index, Introductions, Names, Utterances
from companion.languages.understood import any_of, understood

CODES = language_codes()
PATTERNS: tuple[Literal["question", "about_self", "about_character", "asking_words", "why", "private"], ...] = (
    *("question", "about_self", "about_character", "asking_words", "why", "private"),
)


def parts_of(one: Language) -> tuple[Part, ...]:
    return (one.general, one.prompts, one.commands, one.facts, one.names, one.introductions, one.utterances, one.index)


@pytest.mark.parametrize("code", CODES)
def test_every_file_of_every_language_loads(code: str) -> None:
    assert all(isinstance(part, Part) for part in parts_of(language(code)))


@pytest.mark.parametrize("code", CODES)
def test_every_language_that_is_understood_exists(code: str) -> None:
    assert understood(code).own.code == code
    assert set(language(code).names.first_names_of) <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_patterns_of_languages_that_are_understood_together_fit_into_one(code: str) -> None:
    """Two languages must not give the same name to a group."""
    for key in PATTERNS:
        any_of(understood(code), lambda one, key=key: getattr(one.utterances, key))
    for kind in FACT_KINDS:
        any_of(understood(code), lambda one, kind=kind: one.facts.asked_for.get(kind))


@pytest.mark.parametrize("code", CODES)
def test_a_language_is_told_by_its_own_words(code: str) -> None:
    assert understood(code).of(language(code).prompts.summary.instruction).code == code


@pytest.mark.parametrize("code", CODES)
def test_words_are_written_as_they_are_compared(code: str) -> None:
    one = language(code)
    lists = (one.names.first_names, one.names.never, one.names.seldom, one.names.titles, one.introductions.greetings)
    lists += (one.facts.not_names, one.facts.name_ends, one.facts.not_real, one.index.stop_words, one.index.elisions)
    assert [word for words in lists for word in words if word != word.lower()] == []


def test_a_language_goes_by_other_codes_too() -> None:
    for code in CODES:
        assert all(find_language(other) is language(code) for other in language(code).general.voices.others)


@pytest.mark.parametrize(
    ("text", "model", "problem"),
    [
        ("stop = ['halt']\nhalt = ['stop']", Commands, "file: halt: "),
        ("why = ''", Utterances, "file: why: .*matches everything"),
        ("why = 'x*'", Utterances, "matches everything"),
        ("why = ['why', '']", Utterances, "matches everything"),
        ("why = '('", Utterances, "is no regular expression"),
        ("why = '(.)\\1'", Utterances, "name the group"),
        ("why = '{w}'", Utterances, "there is no fragment w"),
        ("why = '{w}'\n[fragments]\nw = 'a{w}'", Utterances, "is made of itself"),
        ("why = '{w}'\n[words]\nw = 3", Utterances, "file: -: must be words"),
        ("why = [", Utterances, "file: -: "),
        ("[patterns]\nage = ['i am {number}']\n[words]\nnumber = 'one two'", Facts, r"\(\?P<value>"),
        ("[patterns]\nheight = ['i am (?P<value>tall)']", Facts, "patterns.height"),
        ("[pets]\ndog = 'puppy'\ncat = 'puppy'", Facts, "puppy stands twice"),
        ("name = '.+?'\nsays_patterns = ['i am']", Introductions, r"needs \{name\}"),
        ("may_say = ['i am']\npresents = ['this is']", Introductions, "this is does not stand in may_say"),
        ("first_names = 3", Names, "first_names"),
        ("shortest = 'two'", Index, "shortest"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, model: type[Part], problem: str) -> None:
    with pytest.raises(LanguageError, match=problem):
        parse_part("file", text, model)


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [("You are talking.", r"speaking_with: .*needs \{person\}"), ("With {person} and {name}.", "which nothing fills")],
)
def test_a_sentence_has_exactly_the_places_that_are_filled(sentence: str, problem: str) -> None:
    with pytest.raises(LanguageError, match=problem):
        parse_part("file", f'speaking_with = "{sentence}"', Prompts)


def test_fragments_and_words_become_groups() -> None:
    class OnePattern(Part):
        pattern: Regex

    text = "pattern = '{a}!{pair}'\n[fragments]\npair = ['x', '{a}y']\n[words]\na = ['b', 'b c', 'd.']"
    found = re.compile(parse_part("file", text, OnePattern).pattern)
    assert found.fullmatch("b c!x")
    assert found.fullmatch("d.!by")
    assert not found.fullmatch("dx!x")


def test_pets_and_relatives_are_fragments() -> None:
    text = '[patterns]\nhas = ["i have a (?P<subject>{pet}|{relative})"]\n'
    text += '[pets]\n"guinea pig" = ["guinea pigs"]\n[family]\nmother = "mum mom"'
    (pattern,) = parse_part("file", text, Facts).patterns["has"]
    assert re.fullmatch(pattern, "i have a guinea pigs")
    assert re.fullmatch(pattern, "i have a mom")
