"""A running unit learns a voice: what it takes, what stays on the disk, and that it changes nothing where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from companion.config.device import EndpointSettings
from companion.config.wake import WakeSettings
from companion.config.word_file import read, write
from companion.ears.vad import build
from companion.ears.wake_custom.learnt import learnt_file, read_learnt
from companion.errors import CompanionError
from companion.languages.language import EnrolmentLines, language
from companion.voice_enrolment import LEAST_GOOD, MOST_FAULTS, TIMES, Ears, VoiceEnrolment
from tests.support.owner import NOBODY, Owner
from tests.support.small_word import PHRASE, Samples, networks, said, small_word
from tests.support.voices import device, needs_espeak, persona

pytestmark = [pytest.mark.time_limit(60), needs_espeak]


@cache
def calls() -> tuple[Samples, ...]:
    """As often as it asks, each time another way."""
    return tuple(said(PHRASE, speed=speed) for speed in range(145, 145 + 4 * TIMES, 4))


def lines() -> EnrolmentLines:
    found = language("en").enrolment
    assert found is not None
    return found


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installed file of a unit."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    path = tmp_path / "installed" / "hey_marvin.ww"
    path.parent.mkdir()
    write(path, small_word())
    return path


def files(made: Path) -> list[Path]:
    """All files of the unit."""
    return sorted(one for one in made.parents[1].rglob("*") if one.is_file())


class Unit:
    """What of a running unit has a part in a lesson."""

    def __init__(self, answers: Sequence[Samples], *words: str | Path | dict[str, str]) -> None:
        self.owner = Owner(answers)
        self.renewed: list[str] = []
        self.errors: list[CompanionError] = []
        settings = WakeSettings.model_validate({"words": [one if isinstance(one, dict) else str(one) for one in words]})
        self.enrolment = VoiceEnrolment(
            settings.heard_by("embedding"),
            lambda: Ears(build(device(), persona()), EndpointSettings()),
            networks,
            self.renewed.append,
            self.errors.append,
        )

    async def lesson(self, woken_by: str = "", ended_at: str = "") -> None:
        """One lesson; it is ended when it is about to say `ended_at`."""
        ended = asyncio.Event()

        async def say(text: str) -> None:
            await self.owner.say(text)
            if text == ended_at:
                ended.set()
                await asyncio.sleep(3600)

        async def hear() -> None:
            async for _ in self.enrolment.tapped(self.owner).frames():
                pass

        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(hear())
            teaching = group.create_task(self.enrolment.teach(woken_by, lines(), say, self.owner.show))
            if ended_at:
                await ended.wait()
                teaching.cancel()
            await asyncio.wait([teaching])
            hearing.cancel()


async def test_ten_calls_are_learnt_into_the_state_folder_and_heard_from_then_on(made: Path) -> None:
    unit = Unit(calls(), made)
    await unit.lesson()
    assert unit.owner.asked == [
        *(lines().begin.format(phrase=PHRASE), lines().first),
        *(lines().again[at % len(lines().again)] for at in range(TIMES - 1)),
        *(lines().learning, lines().done),
    ]
    assert unit.renewed == ["hey_marvin"]
    assert read(made).card.enrolled == 0, "the installed file stays as it is"
    assert files(made) == [made, learnt_file(made)], "no sound is kept"
    assert read_learnt(made).card.enrolled == TIMES


async def test_the_word_that_woke_the_talk_learns(made: Path) -> None:
    other = made.with_name("other.ww")
    write(other, small_word())
    unit = Unit(calls(), "alexa", made, other)
    await unit.lesson("other")
    assert unit.renewed == ["other"]
    assert read_learnt(made).card.enrolled == 0


async def test_a_word_that_cannot_learn_leaves_it_to_the_first_that_can(made: Path) -> None:
    unit = Unit(calls(), "alexa", made)
    await unit.lesson("alexa")
    assert unit.renewed == ["hey_marvin"]


async def test_without_a_word_of_its_own_it_says_so() -> None:
    unit = Unit([], "alexa")
    await unit.lesson("alexa")
    assert unit.owner.asked == [lines().no_word]


async def test_a_stop_word_learns_no_voice(made: Path) -> None:
    unit = Unit([], "alexa", {"word": str(made), "role": "stop"})
    await unit.lesson()
    assert unit.owner.asked == [lines().no_word]


@pytest.mark.parametrize("words", ["", "good morning everybody"])
async def test_nobody_and_other_words_teach_it_nothing(words: str, made: Path) -> None:
    answer = said(words) if words else NOBODY
    unit = Unit([*calls()[: LEAST_GOOD - 1], *[answer] * 20], made)
    await unit.lesson()
    assert unit.owner.asked[-1] == lines().failed
    assert len(unit.owner.asked) == 1 + LEAST_GOOD - 1 + MOST_FAULTS + 1 + 1
    assert unit.renewed == []
    assert files(made) == [made]
    assert len(unit.errors) == 1


async def test_a_full_disk_changes_nothing_and_is_told(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    unit = Unit(calls(), made)
    await unit.lesson()
    assert unit.owner.asked[-1] == lines().failed
    assert unit.renewed == []
    assert learnt_file(made) is None
    assert "No space left on device" in str(unit.errors[0])


async def test_a_lesson_that_is_ended_changes_nothing_and_another_one_starts_anew(made: Path) -> None:
    unit = Unit([*calls(), *calls()], made)
    await unit.lesson(ended_at=lines().learning)
    assert learnt_file(made) is None
    assert unit.renewed == []
    await unit.lesson()
    assert unit.renewed == ["hey_marvin"]
