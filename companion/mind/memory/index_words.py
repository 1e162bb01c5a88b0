"""The words by which a text is indexed and found again. Pure.

A word loses its ending by the rules of the language that the text is in (`index.toml`: a Snowball stemmer, irregular
forms, endings), so "dogs" finds "dog". Writing without blanks becomes single characters and pairs of them. Words that
stand in every sentence are dropped. What is stored and what is asked for go through the same function; `rules_digest`
tells whether an index was made by today's rules.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from functools import cache, lru_cache
from typing import Protocol

import snowballstemmer  # type: ignore[import-untyped]

from companion.languages.language import Language
from companion.languages.understood import Understood

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufa6d\ufa70-\ufad9々"
KATAKANA = "\u30a1-\u30fa\u30fc"
HIRAGANA = "\u3041-\u3096"
UNSPACED = f"{HAN}{HIRAGANA}{KATAKANA}"
"""Characters of the scripts that put no blanks between words, for a class of a regular expression."""

MOST = 80
"""Words of one text that are kept; more belong to no utterance."""

ALGORITHM = "snowballstemmer 3.1.1, words 2"
"""Changes when the same text becomes other words, by this file or by the stemmer. A test compares the version."""

_RUN = re.compile(f"[{UNSPACED}]+|(?:(?![{UNSPACED}])[^\\W_])+(?:'[^\\W\\d_]+)?")
_CHARACTER = re.compile(f"[{UNSPACED}]")
_HAN = re.compile(f"[{HAN}]")


def index_words(text: str, languages: Understood, language: Language | None = None) -> tuple[str, ...]:
    """The words by which `text` is found, in order, each once, at most `MOST`. Every one is letters and digits only.

    `language` is the one that the text is in, where the caller knows it.
    """
    if language is None:
        language = languages.of(text)
    # Words in letters within Chinese or Japanese text belong to another language.
    spaced = language if language.is_spaced else next(iter(languages.spaced), language)
    found: dict[str, None] = {}
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    for run in _RUN.findall(plain):
        for word in _of_characters(run, language) if _CHARACTER.match(run) else _of_letters(run, spaced):
            found[word] = None
            if len(found) == MOST:
                return tuple(found)
    return tuple(found)


def related_words(word: str, language: Language) -> tuple[str, ...]:
    """Other index words for the same thing or its kinds (`same_things`); for looking up only, never stored."""
    return _related(language).get(word, ())


def is_pair(word: str) -> bool:
    """Whether the word is two characters of unspaced writing, which may belong to two words."""
    return len(word) == 2 and _CHARACTER.match(word) is not None


def is_character(word: str) -> bool:
    """Whether the word is a single character of unspaced writing, which says little by itself."""
    return len(word) == 1 and _CHARACTER.match(word) is not None


@cache
def rules_digest(languages: Understood) -> str:
    """By which rules the words are made: an index with another digest must be made anew."""
    data = [(one.code, one.general.model_dump(), one.index.model_dump()) for one in languages]
    return hashlib.blake2b(json.dumps([ALGORITHM, data], default=sorted).encode(), digest_size=12).hexdigest()


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


@cache
def _related(language: Language) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    alone = Understood((language,))
    for line in language.index.same_things:
        words = [index_words(text, alone, language) for text in line]
        # Of an unspaced word the pair says more than its characters.
        each = dict.fromkeys(max(of_text, key=len) for of_text in words if of_text)
        for word in each:
            found.setdefault(word, {}).update(dict.fromkeys(other for other in each if other != word))
    return {word: tuple(others) for word, others in found.items()}


def _of_letters(run: str, language: Language) -> tuple[str, ...]:
    head, _, ending = run.partition("'")
    stop = language.index.stop_words
    if ending and head in language.index.elisions:
        head, ending = ending, ""
    if head in stop or (ending and f"{head}{ending}" in stop):
        return ()
    stem = _stem(head, language)
    # A Hangul syllable is one character, but a word.
    is_word = len(unicodedata.normalize("NFD", stem)) > 1 or stem.isdigit()
    return (stem,) if stem and is_word else ()


def _of_characters(run: str, language: Language) -> list[str]:
    stop = set(language.index.stop_characters)
    found = []
    for place, character in enumerate(run):
        if _HAN.match(character) and character not in stop:
            found.append(character)
        pair = run[place : place + 2]
        if len(pair) == 2 and not stop & set(pair) and pair not in language.index.stop_pairs and not _mixed_kana(pair):
            found.append(pair)
    return found


def _mixed_kana(pair: str) -> bool:
    """A character and the ending that is bent after it: the character by itself is the better word."""
    kana = [HIRAGANA[0] <= one <= HIRAGANA[-1] for one in pair]
    return any(kana) and not all(kana)


@lru_cache(maxsize=4096)
def _stem(word: str, language: Language) -> str:
    """The word as it is indexed; empty where only a stop word is left of it. A stemmer in Python is slow: cached."""
    rules = language.index
    for ending in sorted(rules.endings, key=len, reverse=True):
        if word.endswith(ending) and len(word) - len(ending) >= rules.shortest:
            word = word.removesuffix(ending)
            if word in rules.stop_words:
                return ""
            break
    base, base_by_stem = _irregular(language)
    if word in base:
        return _without_accents(_cut(base[word], language))
    stem = _cut(word, language)
    # "puppies" is no irregular form, but its stem is that of "puppy", which is one.
    return _without_accents(base_by_stem.get(stem, stem))


@cache
def _irregular(language: Language) -> tuple[dict[str, str], dict[str, str]]:
    """The word for each irregular form, and its stem for the form's stem."""
    base = {form: word for word, forms in language.index.irregular.items() for form in forms}
    return base, {_cut(form, language): _cut(word, language) for form, word in base.items()}


def _cut(word: str, language: Language) -> str:
    stemmer = _stemmer(language.index.stemmer)
    return stemmer.stemWord(word) if stemmer is not None else word


@cache
def _stemmer(name: str) -> _Stemmer | None:
    return snowballstemmer.stemmer(name) if name else None


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    if not any("a" <= one <= "z" for one in parts):
        return word
    return "".join(one for one in parts if not unicodedata.combining(one))
