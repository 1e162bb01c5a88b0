"""The table `[ears.wake]`: what makes a unit listen, and the words that do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from companion.config.loading import Factory, FilePath, Settings, path_from_file

WAKE_WORDS = ("okay_nabu", "hey_jarvis", "alexa", "hey_mycroft")
"""Those that the engine `micro` knows."""

WORD_FILE = ".ww"
"""What the name of a file ends with that holds a word of one's own."""

MOST_WORDS = 8

_MODES = ("open", "button")


def _word_or_file(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str | Path):
        raise ValueError('is a word or the path of a file; write it in quotation marks: "..."')
    return path_from_file(value, info) if str(value).endswith(WORD_FILE) else value


WakeWordName = Annotated[str | Path, BeforeValidator(_word_or_file), WithJsonSchema({"type": "string", "minLength": 1})]
"""The name of a ready-made word, or the path of a `.ww` file."""


class WakeWordSettings(Settings):
    word: WakeWordName
    """A ready-made word (`okay_nabu`, `hey_jarvis`, `alexa`, `hey_mycroft`), or the path of a `.ww` file."""
    character: str | None = None
    """Who is woken and answers: a name of the persona file's cast, or the persona's own. The persona when absent, and
    in a group the others after it."""
    sensitivity: float = Field(default=0.5, ge=0, le=1)
    """0.5 is the word's own threshold. More wakes more easily, also by mistake."""
    role: Literal["wake", "stop"] = "wake"
    """`wake`, or `stop`: a word that is live only while an answer is made or spoken, ends it, and never wakes."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        """`"alexa"` is the short form of the table."""
        if isinstance(value, str | Path):
            return {"word": value}
        if not isinstance(value, dict | WakeWordSettings):
            raise ValueError('is no word; write "alexa", or { word = "alexa", ... }')
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.name or self.name in _MODES:
            raise ValueError(f'word: no wake word can be called "{self.name}"; write another name')
        if self.role == "stop" and self.character is not None:
            raise ValueError("character: a stop word wakes nobody; leave the character out")
        return self

    @property
    def file(self) -> Path | None:
        """The `.ww` file; None for a ready-made word."""
        return self.word if isinstance(self.word, Path) else None

    @property
    def name(self) -> str:
        """Its name in events and logs; that of a file without its folder and ending."""
        return self.word.stem if isinstance(self.word, Path) else self.word


class WakeSettings(Settings):
    mode: Literal["word", "open", "button"] = "word"
    """`word` waits for the wake word, `open` always listens, `button` listens while or after the button is pressed."""
    word: WakeWordName = "okay_nabu"
    """The wake word: `okay_nabu`, `hey_jarvis`, `alexa`, `hey_mycroft`, or the path of a `.ww` file."""
    words: tuple[WakeWordSettings, ...] = Field(default=(), max_length=MOST_WORDS)
    """In place of `word` up to eight of them: each a text, or a table with `word`, `character`, `sensitivity` and
    `role`."""
    engine: Factory = "auto"
    """The wake word engine: `auto` (`embedding` for `.ww` files, `micro` for the others), or that of another package
    for all words."""
    threshold: float | None = Field(default=None, gt=0, lt=1)
    """Probability above which the one ready-made `word` is recognised; the model's own value when absent. Lower values
    wake more often, also by mistake."""
    button_pin: int | None = Field(default=None, ge=0, le=27)
    """GPIO number (BCM) of the push-to-talk button."""
    sound: Literal["auto", "always", "never"] = "auto"
    """A short soft sound that tells that the unit is awake. `auto`: where no light of the body shows it, no page and no
    terminal. Only with a sound card."""
    neighbours: bool = False
    """Whether several units stand in one room: of those that hear the wake word, the one that heard it best answers.
    They ask each other on the local network, for at most 0.08 s, and need a secret that they share
    (docs/neighbours.md)."""
    neighbours_key_file: FilePath | None = None
    """A file with mode 0600 that contains only that secret. Alternatives: the environment variable
    `COMPANION_NEIGHBOURS_KEY` and a systemd credential called `neighbours-key`."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        """`wake = "open"` and `wake = "alexa"` are short forms of the table."""
        if isinstance(value, str):
            return {"mode": value} if value in _MODES else {"word": value}
        return value

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        if not self.words and "words" in self.model_fields_set:
            raise ValueError("words: names no word; name one, or leave the list out")
        if self.words and "word" in self.model_fields_set:
            raise ValueError("words: word is given too; put it into the list, or leave one of the two out")
        if self.threshold is not None and (self.words or isinstance(self.word, Path)):
            raise ValueError("threshold: is for one ready-made word; write sensitivity in each of words")
        names = [one.name for one in self.words]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f'words: "{twice}" stands in the list twice; leave one of them out')
        if self.words and all(one.role == "stop" for one in self.words):
            raise ValueError('words: nothing in the list can wake it; add a word whose role is "wake"')
        return self

    @property
    def listed(self) -> tuple[WakeWordSettings, ...]:
        """All words: `words`, or the one `word`."""
        return self.words or (WakeWordSettings(word=self.word),)

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that hear the words, each once."""
        return tuple(dict.fromkeys(map(self._engine_of, self.listed)))

    @property
    def stop_words(self) -> frozenset[str]:
        """The names of the words that stop an answer and never wake."""
        return frozenset(one.name for one in self.listed if one.role == "stop")

    @property
    def characters(self) -> dict[str, str]:
        """Whom each word wakes that names somebody."""
        return {one.name: one.character for one in self.listed if one.character is not None}

    def heard_by(self, engine: str) -> tuple[WakeWordSettings, ...]:
        """The words of the engine with this name, for its factory."""
        return tuple(one for one in self.listed if self._engine_of(one) == engine)

    def _engine_of(self, word: WakeWordSettings) -> str:
        if self.engine != "auto":
            return self.engine
        return "micro" if word.file is None else "embedding"
