"""Whether a phrase makes a good wake word, and which would be better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from companion.config.wake import WAKE_WORDS
from studio.wakeword.language import WordLanguage
from studio.wakeword.phonemes import distance, phonemes

ENOUGH = 6
"""Sounds that tell a phrase from ordinary talk: "hey momo" has six."""

ALIKE = 0.34
"""Two phrases of which no more than this part of the sounds differs are mistaken for each other."""


def warnings(phrase: str, language: WordLanguage, others: Mapping[str, WordLanguage]) -> list[str]:
    """What speaks against the phrase, each a sentence. `others`: the words beside which it will be heard."""
    sounds = phonemes(phrase, language.voice).sounds
    found = []
    if len(sounds) < ENOUGH:
        found.append(
            f'"{phrase}" is too short: it has {len(sounds)} sounds, and with fewer than {ENOUGH} a word is heard in '
            "other words all day."
        )
    if phrase.casefold().strip() in {word.casefold() for word in language.common}:
        found.append(f'"{phrase}" is too common: people say it all day without meaning the device.')
    for other, its in others.items():
        theirs = phonemes(other, its.voice).sounds
        if distance(sounds, theirs) <= ALIKE * max(len(sounds), len(theirs)):
            found.append(f'"{phrase}" sounds like "{other}", which is in use: each will be taken for the other.')
    return found


def better(phrase: str, language: WordLanguage, others: Mapping[str, WordLanguage]) -> list[str]:
    """Up to three phrases that contain this one and against which nothing speaks."""
    good = (one for one in _longer(phrase, language) if not warnings(one, language, others))
    return [one for one, _ in zip(good, range(3), strict=False)]


def in_use(language: WordLanguage) -> dict[str, WordLanguage]:
    """The ready-made words, as they are said."""
    return {word.replace("_", " "): language for word in WAKE_WORDS}


def _longer(phrase: str, language: WordLanguage) -> Iterator[str]:
    bare = phrase.strip()
    for greeting in language.greetings:
        if not bare.casefold().startswith(greeting.casefold()):
            yield f"{greeting}{language.joint}{bare}"
    yield f"{bare}{language.joint}{bare}"
