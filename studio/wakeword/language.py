"""What the training knows of a language: `languages/<code>.toml`, and espeak-ng's voices of it (`accents.toml`)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from companion.errors import ConfigError
from companion.languages.language import find_language
from companion.toml_file import parse_toml, read_toml_text
from studio.wakeword.phonemes import phonemes

FOLDER = Path(__file__).parent / "languages"
ACCENTS = Path(__file__).with_name("accents.toml")

_STRESS = "',%=|"


@dataclass(frozen=True)
class WordLanguage:
    """One language."""

    code: str
    voice: str
    """Whose pronunciation counts."""
    accents: tuple[str, ...]
    sentences: tuple[str, ...]
    common: tuple[str, ...]
    """Words that people say all day."""
    greetings: tuple[str, ...]
    """Words with which a wake word may begin."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All words of the sentences and the common ones; those without spaces only the common ones."""
        found = [word for text in self.sentences for word in re.findall(r"[^\W\d_]+['’]?[^\W\d_]*", text)]
        return tuple(dict.fromkeys([*self.common, *(found if self.joint else ())]))

    @property
    def joint(self) -> str:
        """What stands between words."""
        return " " if sum(" " in text for text in self.sentences) * 2 > len(self.sentences) else ""

    @cached_property
    def inventory(self) -> tuple[str, ...]:
        """The language's phonemes, by the names of espeak-ng."""
        spoken = phonemes("\n".join(self.sentences), self.voice)
        count = Counter(one.strip(_STRESS) for word in spoken.words for one in word)
        return tuple(sorted(name for name, times in count.items() if times > 2 and name))


def codes() -> list[str]:
    """The languages in which a wake word can be trained."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def word_language(code: str) -> WordLanguage:
    """The language of this code. Raises `ConfigError`."""
    if code not in codes():
        raise ConfigError(f"no wake word can be trained in {code} yet; there is {', '.join(codes())}")
    data = parse_toml(read_toml_text(FOLDER / f"{code}.toml"))
    known = find_language(code)
    accents = parse_toml(read_toml_text(ACCENTS)).get(code) or [(known and known.general.voices.espeak) or code]
    return WordLanguage(
        code, accents[0], tuple(accents), tuple(data["sentences"]), tuple(data["common"]), tuple(data["greetings"])
    )
