"""The file of a wake word of one's own: a card that a person can read, and the numbers of its model behind it.

    companion-wake-word 1
    {"phrase": "hey momo", "seconds": 0.9, ...}            one line of JSON: the card
    <little-endian float16 numbers>                        the arrays that card.arrays names, one after the other

The same content gives the same bytes. Nothing of a file is run, and nothing is read past the sizes below.
"""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from companion.errors import ConfigError
from companion.storage import read_bounded_file, write_atomically

Numbers = NDArray[np.float32]

_KIND = b"companion-wake-word "
_FIRST_LINE = _KIND + b"1\n"
_LONGEST_CARD = 64 * 1024
LARGEST = 8 * 1024 * 1024
"""Bytes of a file; usual is an eighth of it."""
_MOST_SIDES, _LONGEST_SIDE = 3, 65_536
_VOWELS = {*("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")}
_CONSONANTS = {
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N"),
    *("NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH"),
}
"""The phonemes of pocketsphinx's English model."""
_MOST_DEVIATIONS = 2.0


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SecondLook(_Part):
    """How what pocketsphinx thinks of a sound is added to what the head thinks of it."""

    pronunciations: tuple[str, ...] = Field(min_length=1, max_length=8)
    """In the phonemes of its English model: `HH EY M OW M OW`."""
    weight: float
    """What one standard deviation of its score counts, in logits of the head."""
    center: float
    scale: float = Field(gt=0)
    """Mean and standard deviation of its score over real people's words."""

    @property
    def most(self) -> float:
        """Logits that it adds or takes at most."""
        return abs(self.weight) * _MOST_DEVIATIONS

    def share(self, score: float) -> float:
        """Logits that this score adds to those of the head."""
        deviation = (score - self.center) / self.scale
        return self.weight * min(max(deviation, -_MOST_DEVIATIONS), _MOST_DEVIATIONS)

    @model_validator(mode="after")
    def _pronounceable(self) -> Self:
        if not all(one.split() and set(one.split()) <= _VOWELS | _CONSONANTS for one in self.pronunciations):
            raise ValueError("a pronunciation has other phonemes than those of the model")
        return self


class Card(_Part):
    """What a `.ww` file says of itself."""

    phrase: str = Field(min_length=1, max_length=80)
    language: str = Field(pattern=r"^[a-z]{2,3}$")
    """Whose rules of pronunciation the phrase was spoken by."""
    seconds: float = Field(gt=0, le=4)
    """How long the phrase is, spoken slowly."""
    context: int = Field(ge=1, le=30)
    """Embeddings that the head looks at, the last one first in time at its end."""
    threshold: float
    """Logit above which the word was heard, at sensitivity 0.5."""
    threshold_alone: float
    """The same where there is no second look."""
    second_look: SecondLook | None = None
    made: Mapping[str, Any] = Field(default_factory=dict)
    """How it was made: version, seed, voices, counts. For people."""
    expected: Mapping[str, Any] = Field(default_factory=dict)
    """What it is expected to miss and to mistake, measured on synthetic voices that it was not trained with."""
    enrolled: int = Field(default=0, ge=0)
    """Recordings of real people that were added."""
    arrays: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    """Shapes of the arrays behind the card, in their order."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        shapes = self.arrays.values()
        if any(len(one) > _MOST_SIDES or not all(0 <= side <= _LONGEST_SIDE for side in one) for one in shapes):
            raise ValueError("an array has an impossible shape")
        if not self.phrase.strip() or not self.phrase.isprintable():
            raise ValueError("the phrase is no text")
        return self


@dataclass(frozen=True, slots=True)
class WordFile:
    """A wake word: its card, and its arrays (float32, finite) by name."""

    card: Card
    arrays: Mapping[str, Numbers]

    @property
    def phrase(self) -> str:
        """What is said, as it is written."""
        return self.card.phrase

    @property
    def language(self) -> str:
        """Its language's code."""
        return self.card.language


def encoded(word: WordFile) -> bytes:
    """The bytes of the file."""
    card = word.card.model_copy(update={"arrays": {name: value.shape for name, value in word.arrays.items()}})
    written = BytesIO()
    written.write(_FIRST_LINE)
    written.write(json.dumps(card.model_dump(mode="json"), ensure_ascii=False).encode() + b"\n")
    for value in word.arrays.values():
        # float16 ends at 65,504.
        written.write(np.clip(value, -6e4, 6e4).astype("<f2").tobytes())
    return written.getvalue()


def decoded(data: bytes, name: str) -> WordFile:
    """The word in these bytes. Raises `ConfigError` with a sentence that begins with `name`."""
    if not data.startswith(_FIRST_LINE):
        if data.startswith(_KIND) and data[len(_KIND) : len(_KIND) + 6].partition(b"\n")[0].isdigit():
            raise ConfigError(f"{name}: was made by a newer version; install that here, or make it anew with this one")
        raise ConfigError(f"{name}: is no wake word; make one with: companion wakeword train")
    broken = f"{name}: is damaged or cut off; copy it again, or make it anew with: companion wakeword train"
    end = data.find(b"\n", len(_FIRST_LINE), len(_FIRST_LINE) + _LONGEST_CARD)
    if end < 0:
        raise ConfigError(broken)
    try:
        card = Card.model_validate_json(data[len(_FIRST_LINE) : end])
    except ValidationError as error:
        raise ConfigError(broken) from error
    arrays: dict[str, Numbers] = {}
    at = end + 1
    for array, shape in card.arrays.items():
        size = math.prod(shape) * 2
        if size > len(data) - at:
            raise ConfigError(broken)
        values = np.frombuffer(data, "<f2", math.prod(shape), at).astype(np.float32).reshape(shape)
        if not np.isfinite(values).all():
            raise ConfigError(broken)
        arrays[array] = values
        at += size
    if at != len(data):
        raise ConfigError(broken)
    return WordFile(card, arrays)


def read(path: Path) -> WordFile:
    """The word in this file. Raises `ConfigError`."""
    try:
        data = read_bounded_file(path, LARGEST)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; name that of a word of your own, or a ready-made word") from error
    except OSError as error:
        advice = f"give others the right to: chmod a+r {path}" if error.errno == errno.EACCES else "name a .ww file"
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error}); {advice}") from error
    return decoded(data, str(path))


def write(path: Path, word: WordFile) -> None:
    """Write it whole or not at all. Raises `OSError`."""
    write_atomically(path, encoded(word))
