"""Several engines behind one port: their words, their roles, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wake import WakeWordSettings
from companion.config.word_file import write
from companion.ears import wake_words
from companion.ears.wake_words import LONGEST_WAIT_S, PROVEN_S, WakeWords
from companion.errors import ConfigError, EngineUnavailable, SpeechError
from companion.events import EAR_RATE, AudioFrame
from companion.ports import WakeWord
from tests.support.ears import WordAt
from tests.support.own_words import own_word

FRAME = 512
FRAMES_PER_S = EAR_RATE / FRAME


class Engine:
    """Hears a word where the frame is in `hears`, and fails where it is in `fails` or from `dies_at` on."""

    def __init__(self, *words: str, hears: dict[int, str] | None = None) -> None:
        self.words = words
        self.hears = hears or {}
        self.fails: dict[int, Exception] = {}
        self.given: list[int] = []
        self.spoke: list[bool] = []
        self.closed = 0
        self.resets = 0

    def detect(self, frame: AudioFrame, *, speaking: bool = False) -> str | None:
        at = frame.start // FRAME
        self.given.append(at)
        self.spoke.append(speaking)
        if at in self.fails:
            raise self.fails[at]
        return self.hears.get(at)

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed += 1


def frame(at: int) -> AudioFrame:
    return AudioFrame(bytes(2 * FRAME), at * FRAME)


def wake(*words: Any) -> Any:
    return Device.model_validate({"persona": "bear.toml", "ears": {"wake": {"words": words}}}).ears.wake


def built(settings: Any, told: list[str] | None = None, **engines: Callable[[], WakeWord]) -> WakeWords:
    return WakeWords(settings, lambda name: engines[name](), (told if told is not None else []).append)


STOP = {"word": "halt.ww", "role": "stop"}


def test_either_of_two_engines_wakes() -> None:
    micro, own = Engine("alexa", hears={3: "alexa"}), Engine("momo", hears={5: "momo"})
    words = built(wake("alexa", "momo.ww"), micro=lambda: micro, embedding=lambda: own)
    assert words.words == ("alexa", "momo")
    assert [words.detect(frame(at)) for at in range(7)] == [None, None, None, "alexa", None, "momo", None]
    assert micro.given == own.given == list(range(7))
    words.reset()
    assert (micro.resets, own.resets) == (1, 1)


def test_what_one_of_them_suspects_is_told_and_another_need_not_be_able_to() -> None:
    micro, custom = WordAt(suspected=(FRAME, 2 * FRAME)), Engine("owl")
    words = built(wake("okay_nabu", "owl.ww"), micro=lambda: micro, embedding=lambda: custom)
    told = []
    for at in range(3):
        words.detect(frame(at))
        told.append(words.suspects)
    assert told == [False, True, False]


def test_a_stop_word_counts_while_it_speaks_only() -> None:
    own = Engine("momo", "halt", hears=dict.fromkeys(range(4), "halt"))
    words = built(wake("momo.ww", STOP), embedding=lambda: own)
    assert [words.detect(frame(at), speaking=at == 2) for at in range(4)] == [None, None, "halt", None]
    assert own.spoke == [False, False, True, False], "an engine may save work"


@pytest.mark.parametrize(
    "error",
    [
        SpeechError("the model failed"),
        OSError(5, "Input/output error"),
        ValueError("bad tensor"),
        RuntimeError("TfLiteInterpreterGetInputTensor returned NULL"),
        FloatingPointError("invalid value"),
        IndexError(),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_engine_that_fails_is_built_anew_and_told(error: Exception) -> None:
    first, second = Engine("alexa"), Engine("alexa", hears={5: "alexa"})
    first.fails = {3: error}
    engines, told = iter((first, second)), list[str]()
    words = built(wake("alexa"), told, micro=lambda: next(engines))
    heard = []
    for at in range(7):
        heard.append(words.detect(frame(at)))
        assert bool(words.trouble) is (at == 3)
    assert heard.index("alexa") == 5, "it hears again from the next frame on"
    assert second.given[0] == 4
    assert first.closed == 1
    [sentence] = told
    assert "The wake word engine micro failed" in sentence
    assert (str(error) or type(error).__name__) in sentence


def test_the_words_of_the_other_engine_are_heard_meanwhile() -> None:
    def gone() -> Engine:
        if broken.given:
            raise EngineUnavailable("its file is gone")
        return broken

    broken, micro = Engine("momo"), Engine("alexa", hears={9: "alexa"})
    broken.fails = {1: OSError("gone")}
    words = built(wake("alexa", "momo.ww"), micro=lambda: micro, embedding=gone)
    heard = [words.detect(frame(at)) for at in range(10)]
    assert heard[9] == "alexa"
    assert "momo cannot be heard" in words.trouble
    assert "alexa" not in words.trouble


def test_an_engine_that_cannot_be_built_any_more_is_tried_ever_more_rarely() -> None:
    def build() -> Engine:
        attempts.append(now)
        if len(attempts) > 1:
            raise EngineUnavailable("its file is gone")
        return broken

    now, attempts, told = 0, list[int](), list[str]()
    broken = Engine("alexa")
    broken.fails = {0: OSError("gone")}
    words = built(wake("alexa"), told, micro=build)
    hour = round(3600 * FRAMES_PER_S)
    for now in range(hour):
        assert words.detect(frame(now)) is None
        assert words.trouble
    waits = [(b - a) / FRAMES_PER_S for a, b in pairwise(attempts[1:])]
    assert waits[:6] == pytest.approx([1, 2, 4, 8, 16, LONGEST_WAIT_S], abs=0.1)
    assert max(waits) == pytest.approx(LONGEST_WAIT_S, abs=0.1), "it goes on trying"
    assert len(told) == len(attempts) <= 130, "the log is not flooded"


def test_one_that_fails_again_and_again_is_no_help_until_it_has_proved_itself() -> None:
    """Each new engine fails after a second: between the failures it hears, but the watchdog must know."""
    engines: list[Engine] = []

    def build() -> Engine:
        engines.append(Engine("alexa"))
        if len(engines) <= 6:
            engines[-1].fails = {at: RuntimeError("again") for at in range(now + 30, now + 10_000)}
        return engines[-1]

    now = 0
    words = built(wake("alexa"), micro=build)
    troubled = []
    for now in range(round(150 * FRAMES_PER_S)):
        words.detect(frame(now))
        troubled.append(bool(words.trouble))
    assert len(engines) == 7
    settled = round(45 * FRAMES_PER_S)
    assert all(troubled[settled : settled + round((PROVEN_S - 20) * FRAMES_PER_S)])
    assert not troubled[-1], "a good minute makes it sound again"


def test_a_word_with_a_new_file_is_heard_by_a_new_engine_from_the_next_frame_on() -> None:
    micro, before, after = Engine("alexa"), Engine("momo"), Engine("momo", hears={2: "momo"})
    own, told = [before, after], list[str]()
    words = built(wake("alexa", "momo.ww"), told, micro=lambda: micro, embedding=lambda: own.pop(0))
    words.detect(frame(0))
    words.renew("momo")
    assert before.closed == 1
    assert [words.detect(frame(at)) for at in (1, 2)] == [None, "momo"]
    assert (before.given, micro.given, micro.closed) == ([0], [0, 1, 2], 0)
    assert (words.trouble, told) == ("", [])


def test_in_the_end_every_engine_lets_go_of_what_it_has() -> None:
    micro, own = Engine("alexa"), Engine("momo")
    built(wake("alexa", "momo.ww"), micro=lambda: micro, embedding=lambda: own).close()
    assert (micro.closed, own.closed) == (1, 1)


def test_where_it_does_not_start_those_built_before_let_go() -> None:
    micro = Engine("alexa")
    with pytest.raises(EngineUnavailable):
        built(wake("alexa", "momo.ww"), micro=lambda: micro, embedding=unavailable)
    assert micro.closed == 1


def test_a_reset_that_fails_builds_it_anew() -> None:
    class Unresettable(Engine):
        def reset(self) -> None:
            raise RuntimeError("TfLiteModelCreateFromFile returned NULL")

    engines = iter((Unresettable("alexa"), Engine("alexa", hears={1: "alexa"})))
    words = built(wake("alexa"), micro=lambda: next(engines))
    words.reset()
    assert words.trouble
    assert [words.detect(frame(at)) for at in range(2)] == [None, "alexa"]
    assert not words.trouble


def test_one_that_cannot_be_built_at_the_start_is_refused() -> None:
    def build() -> Engine:
        raise EngineUnavailable("install it")

    with pytest.raises(EngineUnavailable, match="install it"):
        built(wake("alexa"), micro=build)


def unavailable() -> Engine:
    raise EngineUnavailable("install it")


def test_an_engine_that_is_missing_is_told_where_another_one_can_wake_it() -> None:
    micro, told = Engine("alexa", hears={1: "alexa"}), list[str]()
    engines = {"micro": lambda: micro, "embedding": unavailable}
    words = WakeWords(wake("alexa", "momo.ww"), lambda name: engines[name](), missing=told)
    assert told == ["It cannot hear momo. install it"]
    assert words.words == ("alexa",)
    assert not words.trouble, "starting again would not help"
    assert [words.detect(frame(at)) for at in range(2)] == [None, "alexa"]


def test_where_only_a_stop_word_would_be_left_it_does_not_start() -> None:
    engines = {"micro": unavailable, "embedding": lambda: Engine("halt")}
    with pytest.raises(EngineUnavailable, match="install it"):
        WakeWords(wake("alexa", STOP), lambda name: engines[name](), missing=[])


def test_one_made_for_an_earlier_version_is_refused() -> None:
    class OneWord:
        word = "alexa"

    with pytest.raises(EngineUnavailable, match="other:engine: is no wake word engine of this version"):
        WakeWords(wake("alexa").model_copy(update={"engine": "other:engine"}), lambda _: OneWord())  # type: ignore[arg-type,return-value]


def persona() -> Persona:
    return Persona.model_validate(
        {
            "name": "Momo",
            "profile": {"details": "a bear"},
            "cast": [{"name": "Kiki", "profile": {"details": "a parrot"}}],
            "lines": {"offline": ["Oh."], "failed": ["Oh."]},
        }
    )


def check(*words: Any, engine: str = "auto") -> list[str]:
    device = Device.model_validate({"persona": "duo.toml", "ears": {"wake": {"words": words, "engine": engine}}})
    try:
        wake_words.check(device, persona())
    except ConfigError as error:
        return list(error.problems)
    return []


def test_words_of_the_cast_and_files_that_are_there_are_well(tmp_path: Path) -> None:
    file = tmp_path / "momo.ww"
    write(file, own_word())
    assert check(str(file), {"word": "alexa", "character": "Kiki"}, {"word": "hey_jarvis", "character": "Momo"}) == []
    assert check("anything", engine="other:engine") == []


def test_every_wrong_word_is_told(tmp_path: Path) -> None:
    told = check({"word": "alexa", "character": "Kikki"}, "hey_jarwis", str(tmp_path / "momo.ww"))
    assert [sentence.split(": ")[0] for sentence in told] == [
        "ears.wake.words.0.character",
        "ears.wake.words.1.word",
        "ears.wake.words.2.word",
    ]
    for sentence, word in zip(told, ("did you mean Kiki?", "okay_nabu", "there is no file"), strict=True):
        assert word in sentence


def test_a_file_is_no_word_of_micro(tmp_path: Path) -> None:
    (tmp_path / "momo.ww").touch()
    [sentence] = check(str(tmp_path / "momo.ww"), engine="micro")
    assert "momo.ww is no word of the engine micro; leave ears.wake.engine out" in sentence


def test_how_a_word_is_said_stands_in_its_file(tmp_path: Path) -> None:
    write(tmp_path / "robot_2.ww", own_word("hey momo"))
    assert wake_words.spoken(WakeWordSettings(word=tmp_path / "robot_2.ww")) == "hey momo"
    assert wake_words.spoken(WakeWordSettings(word="okay_nabu")) == "okay nabu"
    assert wake_words.spoken(WakeWordSettings(word=tmp_path / "of_another_engine.ww")) == "of another engine"
