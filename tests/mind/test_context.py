"""What is told of the moment: in time, bounded, and never in the way."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from companion.errors import EngineUnavailable
from companion.languages.language import language
from companion.mind.context import (
    BUILT_IN,
    Battery,
    Clock,
    Command,
    ContextCollector,
    DeviceState,
    Location,
    Speed,
    TextFile,
)
from tests.support.service_scene import device, persona


@dataclass
class Provider:
    """Says `text` after `after_s`; an error is raised."""

    text: str | Exception = "It rains."
    after_s: float = 0.0
    name: str = "weather"

    async def describe(self) -> str:
        await asyncio.sleep(self.after_s)
        if isinstance(self.text, Exception):
            raise self.text
        return self.text


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.looptime
async def test_all_are_asked_at_once_and_told_in_their_order() -> None:
    began = now()
    slow, quick = Provider("One.", 0.2), Provider("Two.", 0.1, "two")
    assert await ContextCollector([slow, quick], 100).collect() == ("One.", "Two.")
    assert now() - began == pytest.approx(0.2)


@pytest.mark.looptime
async def test_nobody_waits_for_a_late_one_and_what_it_said_stands_for_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    late = Provider()
    collector = ContextCollector([late], 100)
    assert await collector.collect() == ("It rains.",)
    late.after_s = 3600
    began = now()
    assert await collector.collect() == ("It rains.",)
    assert now() - began == pytest.approx(0.3)
    await asyncio.sleep(60)
    assert await collector.collect() == ()
    assert sum("`weather` is left out" in record.message for record in caplog.records) == 1


@pytest.mark.looptime
async def test_a_failure_is_logged_once_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    failing = Provider(OSError("no such sensor"))
    collector = ContextCollector([failing, Provider("Two.", name="two")], 100)
    for _ in range(3):
        assert await collector.collect() == ("Two.",)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "no such sensor" in caplog.text
    failing.text = "One."
    assert await collector.collect() == ("One.", "Two.")


@pytest.mark.looptime
async def test_what_is_told_is_one_line_of_bounded_length() -> None:
    assert await ContextCollector([Provider("a\n b\t" * 100)], 5).collect() == ("a b a",)


MOMENT = datetime(2026, 11, 9, 7, 5)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("en", "It is Monday, 9 November 2026, 07:05."),
        ("zh", "现在是2026年11月9日，星期一，07:05。"),
        ("ja", "今は2026年11月9日、月曜日、07:05です。"),
        ("id", "Sekarang Senin, 9 November 2026, pukul 07:05."),
    ],
)
async def test_the_clock_speaks_the_personas_language(code: str, says: str) -> None:
    assert await Clock(language(code), lambda: MOMENT).describe() == says


def file(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


async def test_the_device_knows_how_long_it_runs_and_how_warm_it_is(tmp_path: Path) -> None:
    uptime = file(tmp_path, "uptime", "7500.12 100.00\n")
    warm = DeviceState(language("en"), uptime, file(tmp_path, "temp", "48212\n"))
    assert (
        await warm.describe()
        == "You have been switched on for 2 hours and 5 minutes. Your processor has 48 degrees Celsius."
    )
    assert (
        await DeviceState(language("en"), uptime, tmp_path / "none").describe()
        == "You have been switched on for 2 hours and 5 minutes."
    )


async def test_the_battery_is_the_first_one_of_the_power_supplies(tmp_path: Path) -> None:
    assert await Battery(language("en"), tmp_path).describe() == ""
    file(tmp_path, "AC/type", "Mains\n")
    file(tmp_path, "BAT0/type", "Battery\n")
    file(tmp_path, "BAT0/capacity", "62\n")
    assert await Battery(language("en"), tmp_path).describe() == "Your battery is 62 percent full."
    file(tmp_path, "BAT0/status", "Charging\n")
    assert await Battery(language("id"), tmp_path).describe() == "Bateraimu 62 persen dan sedang diisi."


async def test_place_and_speed(tmp_path: Path) -> None:
    assert await Location(language("en"), "the nursery").describe() == "You are here: the nursery."
    speed = file(tmp_path, "speed", "52.6\n")
    assert await Speed(language("en"), speed).describe() == "The car is driving at 50 km/h."
    speed.write_text("0,3")
    assert await Speed(language("en"), speed).describe() == "The car stands still."
    for nonsense in ("", "fast", "-3", "nan", "1e9"):
        speed.write_text(nonsense)
        with pytest.raises(ValueError, match=r"."):
            await Speed(language("en"), speed).describe()


async def test_a_file_is_read_as_far_as_is_sensible_and_a_pipe_not_at_all(tmp_path: Path) -> None:
    big = file(tmp_path, "big", "x" * 100_000)
    assert len(await TextFile(big).describe()) == 16_384
    os.mkfifo(tmp_path / "pipe")
    async with asyncio.timeout(2):
        with pytest.raises(ValueError, match="regular file"):
            await TextFile(tmp_path / "pipe").describe()


def python(source: str) -> Command:
    return Command((sys.executable, "-S", "-c", source))


async def test_a_commands_output_is_told_and_its_errors_are_not() -> None:
    assert await python("import sys; print('Rain.'); print('oops', file=sys.stderr)").describe() == "Rain."


async def test_no_shell_reads_the_command() -> None:
    assert await Command(("echo", "$HOME; ls")).describe() == "$HOME; ls"


@pytest.mark.parametrize("endless", ["yes", "cat /dev/zero"])
async def test_a_command_that_never_ends_is_cut_off(endless: str) -> None:
    assert len(await Command(tuple(endless.split())).describe()) <= 16_384


async def test_a_command_that_hangs_or_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("companion.mind.context.COMMAND_S", 0.01)
    commands = [Command(("sleep", "100")), Command(("false",)), Command(("no-such-program",))]
    for command in commands:
        assert await ContextCollector([command], 100).collect(5.0) == ()


def test_every_provider_of_the_settings_can_be_made(tmp_path: Path) -> None:
    context = {"location": "here", "file": tmp_path / "a", "speed_file": tmp_path / "b", "command": ("true",)}
    unit = device(context={**context, "providers": list(BUILT_IN)})
    assert [BUILT_IN[name](unit, persona()).name for name in unit.context.providers] == list(BUILT_IN)
    with pytest.raises(EngineUnavailable, match="speed_file"):
        BUILT_IN["speed"](device(), persona())
