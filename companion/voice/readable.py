"""What a voice can read: words in a script that its language is not written with are left out.

A voice spells them out instead, by the name of their script: "Chinese letter, Chinese letter". Which scripts the voices
of a language read is data (`voices.scripts` in its `language.toml`). Latin letters are read by all, and so are Greek
ones, which stand in formulas, by their names.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Set as AbstractSet

from companion.languages.language import Language

_EVERYWHERE = frozenset({"LATIN", "GREEK"})
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Mn", "Mc"})
_NO_SCRIPT = frozenset({"", "MODIFIER", "COMBINING", "CARON", "TURNED", "VARIATION"})
_ALIASES = {"IDEOGRAPHIC": "CJK", "VERTICAL": "CJK"}
_SENTENCE_ENDS = ".!?…。！？"
_log = logging.getLogger("companion")


def script_of(character: str) -> str | None:
    """The script of a letter or of a mark upon one, as Unicode calls it: `CYRILLIC`, `CJK`; None for anything else."""
    if character.isascii():
        return None
    # Of half and full width, ligatures, and letters that are signs (the micro sign): the letter itself.
    plain = unicodedata.normalize("NFKC", character)[0]
    if plain.isascii() or unicodedata.category(plain) not in _LETTERS:
        return None
    # Names begin with the script: CYRILLIC SMALL LETTER A, CJK UNIFIED IDEOGRAPH-4F60, KATAKANA-HIRAGANA ... MARK.
    script = re.split("[ -]", unicodedata.name(plain, ""), maxsplit=1)[0]
    return None if script in _NO_SCRIPT else _ALIASES.get(script, script)


class Reading:
    """Leaves out what one voice cannot read, and logs it once for each script, without the words."""

    def __init__(self, voice: str, scripts: AbstractSet[str] | None) -> None:
        """`scripts` are those that `voice` reads beside Latin; None where its language is not known."""
        self._voice = voice
        self._scripts = scripts
        self._logged: set[str] = set()

    def readable_text(self, text: str) -> str:
        """The text without words in other scripts, and without marks that stand alone then. It may become empty."""
        if text.isascii():
            return text
        foreign = {one: script for one in set(text) if (script := script_of(one)) and not self._reads(script)}
        if not foreign:
            return text
        for script in sorted(set(foreign.values()) - self._logged):
            self._logged.add(script)
            _log.warning(
                "The voice %s cannot read %s letters: words in them are left out. Another voice, or a persona whose "
                "profile asks for one language only, would help.", self._voice, script,
            )  # fmt: skip
        return _without_lone_marks("".join(" " if one in foreign else one for one in text))

    def _reads(self, script: str) -> bool:
        if script in _EVERYWHERE:
            return True
        return script not in _EAST_ASIAN if self._scripts is None else script in self._scripts


def espeak_scripts(language: Language | None) -> AbstractSet[str] | None:
    """The scripts that espeak-ng reads in this language."""
    if language is None:
        return None
    voices = language.general.voices
    return frozenset(voices.scripts if voices.espeak_scripts is None else voices.espeak_scripts)


def _without_lone_marks(text: str) -> str:
    """A mark between blanks would be read out ("exclamation"); the end of the sentence moves to the word before it."""
    words: list[str] = []
    for word in text.split():
        if any(one.isalnum() for one in word):
            words.append(word)
        elif words and word[-1] in _SENTENCE_ENDS:
            words[-1] = words[-1].rstrip(",;:，、；：") + word[-1]
    return " ".join(words)
