"""All wake words of a unit behind one port: those of several engines, each built anew when it fails.

An engine that failed is built anew at the next frame, and after every further failure later; `trouble` tells meanwhile
that its words are not heard. One that fails again and again keeps its `trouble`, so that the watchdog restarts the
process. No clock and no threads: time is that of the frames.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wake import WAKE_WORDS, WakeSettings, WakeWordSettings
from companion.config.word_file import WordFile
from companion.config.wording import nearest
from companion.ears.wake_custom.detector import own_word
from companion.ears.wake_custom.learnt import outdated, read_learnt
from companion.errors import CompanionError, ConfigError, EngineUnavailable
from companion.events import EAR_RATE, AudioFrame
from companion.ports import WakeWord

ENGINE_ERRORS = (
    *(CompanionError, ArithmeticError, AttributeError, BufferError, LookupError),
    *(MemoryError, OSError, RuntimeError, TypeError, ValueError),
)
"""What an engine raises when its library, its model or their files are broken."""

LONGEST_WAIT_S = 30.0
PROVEN_S = 60.0
"""After so much sound without a failure an engine counts as sound again."""
GIVES_UP = 5
"""Failures, none of them so long after the last one, after which a new engine is no help."""


class EngineOfWords:
    """One engine, built anew when it fails."""

    def __init__(self, name: str, build: Callable[[], WakeWord], on_failure: Callable[[str], None]) -> None:
        """`on_failure` hears each failure as a sentence. Raises what `build` raises, and `EngineUnavailable`."""
        self._name = name
        self._build = build
        self._on_failure = on_failure
        self._engine: WakeWord | None = build()
        if not hasattr(self._engine, "words"):
            raise EngineUnavailable(
                f"{name}: is no wake word engine of this version: it has no words; install a newer one"
            )
        self.words = self._engine.words
        self.trouble = ""
        """Why its words are not heard, or not for long; empty while all is well."""
        self._failures = 0
        self._good = 0
        """Samples since the last failure."""
        self._waits = 0
        """Samples until the next attempt."""

    @property
    def suspects(self) -> bool:
        """See `companion.ports.WakeWord`."""
        return getattr(self._engine, "suspects", False)

    def detect(self, frame: AudioFrame, *, speaking: bool) -> str | None:
        """See `companion.ports.WakeWord`. Raises nothing of an engine that fails."""
        if self._waits > 0:
            self._waits -= frame.end - frame.start
            return None
        try:
            if self._engine is None:
                self._engine = self._build()
            word = self._engine.detect(frame, speaking=speaking)
        except ENGINE_ERRORS as error:
            self._fail(error)
            return None
        self._good += frame.end - frame.start
        if self._good >= PROVEN_S * EAR_RATE:
            self._failures = 0
        if self._failures < GIVES_UP:
            self.trouble = ""
        return word

    def reset(self) -> None:
        """Forget the sound so far."""
        if self._engine is not None:
            try:
                self._engine.reset()
            except ENGINE_ERRORS as error:
                self._fail(error)

    def close(self) -> None:
        """Let go of the engine, and it of a process or a thread of its own."""
        engine, self._engine = self._engine, None
        with suppress(*ENGINE_ERRORS):
            getattr(engine, "close", lambda: None)()

    def _fail(self, error: Exception) -> None:
        self.close()
        self._failures += 1
        self._good = 0
        wait_s = min(2.0 ** (self._failures - 2), LONGEST_WAIT_S) if self._failures > 1 else 0.0
        self._waits = round(wait_s * EAR_RATE)
        words = ", ".join(self.words)
        reason = str(error) or type(error).__name__
        self.trouble = f"{words} cannot be heard: the engine {self._name} failed ({reason})"
        again = f"in {wait_s:g} s" if wait_s else "at once"
        self._on_failure(f"The wake word engine {self._name} failed ({reason}); it is built anew {again}.")


class WakeWords:
    """The words of all engines. Satisfies `companion.ports.WakeWord`."""

    def __init__(
        self,
        settings: WakeSettings,
        build: Callable[[str], WakeWord],
        on_failure: Callable[[str], None] = lambda _: None,
        missing: list[str] | None = None,
    ) -> None:
        """`build` makes the engine of that name. Raises what it raises.

        Where there is a list for what is `missing`, an engine that cannot be used is only told, unless nothing else
        could wake the unit.
        """
        self._engines: list[EngineOfWords] = []
        left = {one.name for one in settings.listed if one.role == "wake"}
        with ExitStack() as unfinished:
            for name in settings.engines:
                try:
                    self._engines.append(EngineOfWords(name, partial(build, name), on_failure))
                except EngineUnavailable as error:
                    deaf_to = [one.name for one in settings.heard_by(name)]
                    left -= set(deaf_to)
                    if missing is None or not left:
                        raise
                    missing.append(f"It cannot hear {', '.join(deaf_to)}. {error}")
                else:
                    unfinished.callback(self._engines[-1].close)
            unfinished.pop_all()
        self.words = tuple(word for engine in self._engines for word in engine.words)
        self._stops = settings.stop_words

    @property
    def suspects(self) -> bool:
        """Whether one of the engines may be hearing a word, as far as it can tell."""
        return any(engine.suspects for engine in self._engines)

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        """The word that ends in this frame. A stop word only while it is `speaking`, whatever its engine says."""
        heard = [engine.detect(frame, speaking=speaking) for engine in self._engines]
        return next((word for word in heard if word and (speaking or word not in self._stops)), None)

    def renew(self, word: str) -> None:
        """Build the engine that hears this word anew at the next frame: its file has changed."""
        for engine in self._engines:
            if word in engine.words:
                engine.close()

    def reset(self) -> None:
        """Forget the sound so far."""
        for engine in self._engines:
            engine.reset()

    def close(self) -> None:
        """Let go of all engines."""
        for engine in self._engines:
            engine.close()

    @property
    def trouble(self) -> str:
        """Which words cannot be heard now, and why; empty while all is well."""
        return "; ".join(engine.trouble for engine in self._engines if engine.trouble)


def word_file(word: WakeWordSettings) -> WordFile | None:
    """What the file of a word of one's own says, or what it has learnt; None for other words, or where unreadable."""
    if word.file is None:
        return None
    try:
        return read_learnt(word.file)
    except ConfigError:
        # Another package's engine may have files of another kind.
        return None


def not_used(settings: WakeSettings) -> Iterator[str]:
    """A sentence for each word that does not hear what it has learnt any more."""
    for one in settings.listed:
        if one.file is not None and (old := outdated(one.file)):
            yield (
                f"{one.name}: what it had learnt ({old[0]}) is not used, since another {one.file.name} is installed "
                'now: teach it again ("learn my voice", or companion wakeword enroll)'
            )


def spoken(word: WakeWordSettings) -> str:
    """How the word is said."""
    own = word_file(word)
    return word.name.replace("_", " ") if own is None else own.phrase


def problems(settings: WakeSettings, persona: Persona) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with the words, beside what the file alone tells: the key within `ears.wake`, and a sentence."""
    micro, embedding = settings.heard_by("micro"), settings.heard_by("embedding")
    for key, one in placed(settings):
        if one.character is not None and one.character not in persona.names:
            advice = nearest(one.character, persona.names)
            yield (*key, "character"), f"nobody of {persona.name}'s file is called {one.character}; {advice}"
        if one.file is not None and one in micro:
            yield ("engine",), f"{one.file.name} is no word of the engine micro; leave ears.wake.engine out"
        elif one.file is not None and one in embedding:
            try:
                own_word(one)
            except ConfigError as error:
                yield (*key, "word"), str(error)
        elif one.file is not None and not os.path.exists(one.file):
            yield (*key, "word"), f"there is no file {one.file}; name that of a word of your own, or a ready-made word"
        elif one.file is None and one in micro and one.name not in WAKE_WORDS:
            yield (*key, "word"), f'there is no wake word "{one.name}"; write {", ".join(WAKE_WORDS)}, or a .ww file'


def placed(settings: WakeSettings) -> Iterator[tuple[tuple[str | int, ...], WakeWordSettings]]:
    """All words, each with its key within `ears.wake`."""
    for at, one in enumerate(settings.listed):
        yield ("words", at) if settings.words else (), one


def check(device: Device, persona: Persona) -> None:
    """Raise `ConfigError` with all `problems`."""
    told = [f"ears.wake.{'.'.join(map(str, key))}: {text}" for key, text in problems(device.ears.wake, persona)]
    if told:
        raise ConfigError(told)
