"""The station test of disk, memory, clock, temperature and power."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.doctor import checks_board as board
from companion.doctor.check import CheckContext
from companion.doctor.checks_engines import check_models
from companion.models.catalogue import read_catalogue
from companion.models.store import pull

NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)


def meminfo(folder: Path, total_kb: int, free_kb: int) -> Path:
    file = folder / "meminfo"
    file.write_text(f"MemTotal:  {total_kb} kB\nMemFree:  5 kB\nMemAvailable:  {free_kb} kB\nHugePages_Total:  0\n")
    return file


@pytest.mark.parametrize(
    ("free_mib", "runs", "outcome"), [(300, False, "pass"), (40, False, "fail"), (40, True, "pass")]
)
def test_too_little_memory_fails_unless_the_companion_uses_its_share(
    tmp_path: Path, free_mib: int, runs: bool, outcome: str
) -> None:
    found = board.memory_result(meminfo(tmp_path, 512 * 1024, free_mib * 1024), runs=runs)
    assert found.outcome == outcome
    assert found.measured == {"free_mib": free_mib, "total_mib": 512}


def test_a_system_that_does_not_tell_its_memory_is_skipped(tmp_path: Path) -> None:
    assert board.memory_result(tmp_path / "nothing").outcome == "skip"


@pytest.mark.parametrize(
    ("now", "error", "outcome", "words"),
    [
        (NOW, 1000, "pass", "set by a time server"),
        (NOW, 16_000_000, "pass", "compare it with your watch"),
        (NOW, None, "pass", "compare it with your watch"),
        (datetime(1970, 1, 1, tzinfo=UTC), None, "fail", "that year cannot be right"),
        (datetime(2099, 1, 1, tzinfo=UTC), 5, "fail", "that year cannot be right"),
    ],
)
def test_a_clock_that_cannot_be_right(now: datetime, error: int | None, outcome: str, words: str) -> None:
    found = board.clock_result(now, error)
    assert found.outcome == outcome
    assert words in found.text


def test_the_kernel_estimates_the_error_of_its_clock() -> None:
    error = board.clock_error_us()
    assert error is None or 0 <= error <= 10**9


@pytest.mark.parametrize(("degrees", "outcome"), [(None, "skip"), (45.0, "pass"), (80.0, "fail")])
def test_a_hot_board(degrees: float | None, outcome: str) -> None:
    assert board.temperature_result(degrees).outcome == outcome


@pytest.mark.parametrize(
    ("flags", "outcome", "words", "advice"),
    [
        (None, "skip", "does not tell", ""),
        (0x0, "pass", "full speed", ""),
        (0x50005, "fail", "voltage is too low now", "power supply"),
        (0x10000, "fail", "too low since power-on", "power supply"),
        (0x40004, "fail", "slowed down now", "heat sink"),
        (0x80000, "fail", "soft temperature limit since", "heat sink"),
    ],
)
def test_the_firmwares_flags_are_reported_in_words(flags: int | None, outcome: str, words: str, advice: str) -> None:
    found = board.power_result(flags)
    assert found.outcome == outcome
    assert words in found.text
    assert advice in found.advice


def test_the_flags_come_from_the_kernel_or_from_vcgencmd(tmp_path: Path) -> None:
    file, program = tmp_path / "get_throttled", tmp_path / "vcgencmd"
    file.write_text("50005\n")
    assert board.firmware_flags(file, "/nonexistent") == 0x50005
    program.write_text("#!/bin/sh\n[ $1 = get_throttled ] && echo throttled=0x20000\n")
    program.chmod(0o755)
    assert board.firmware_flags(tmp_path / "none", str(program)) == 0x20000
    assert board.firmware_flags(tmp_path / "none", "/nonexistent") is None
    program.write_text("#!/bin/sh\nexit 1\n")
    assert board.firmware_flags(tmp_path / "none", str(program)) is None


@given(st.text())
def test_whatever_the_kernels_file_says_is_a_number_or_nothing(text: str) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode("utf-8", "replace"))
        file.flush()
        flags = board.firmware_flags(Path(file.name), "/nonexistent")
    assert board.power_result(flags).outcome in ("pass", "fail", "skip")


def test_a_state_folder_that_can_be_written(tmp_path: Path) -> None:
    found = board.disk_result(tmp_path / "not" / "yet" / "there")
    assert found.outcome == "pass"
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(board.tempfile, "NamedTemporaryFile", refuse)
    found = board.disk_result(tmp_path)
    assert found.outcome == "fail"
    assert "Read-only file system" in found.text
    assert "--state" in found.advice


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "LEAST_DISK_MB", 10**12)
    assert board.disk_result(tmp_path).outcome == "fail"


def a_voice(folder: Path, source: Path) -> str:
    """A fetched voice, from files of the same names; returns its name."""
    [voice, *_] = [one for one in read_catalogue() if one.kind == "piper"]
    source.mkdir()
    for file in voice.files:
        (source / file.name).write_bytes(
            b'{"audio": {"sample_rate": 22050}}' if file.name.endswith("json") else b"onnx"
        )
    plain = type(voice)(
        voice.name, voice.kind, voice.language, voice.licence, 1, tuple(type(f)(f.address) for f in voice.files)
    )
    assert pull(plain, folder, lambda *_: None, source=str(source))
    return voice.name


def test_fetched_models_are_compared_with_what_they_were(tmp_path: Path) -> None:
    context = CheckContext(state=tmp_path / "state")
    assert asyncio.run(check_models(context)).outcome == "skip"
    folder = tmp_path / "state" / "models"
    name = a_voice(folder, tmp_path / "source")
    found = asyncio.run(check_models(context))
    assert found.outcome == "pass"
    assert name in found.text
    (folder / "piper" / f"{name}.onnx").write_bytes(b"onny")
    found = asyncio.run(check_models(context))
    assert found.outcome == "fail"
    assert f"{name}.onnx is not what it was" in found.text
    assert "companion models pull" in found.advice


def test_an_incomplete_download_is_reported(tmp_path: Path) -> None:
    parts = tmp_path / "models" / "parts"
    parts.mkdir(parents=True)
    (parts / "vosk-model-small-en-us-0.15.zip").write_bytes(b"half")
    found = asyncio.run(check_models(CheckContext(state=tmp_path)))
    assert found.outcome == "fail"
    assert "vosk-model-small-en-us-0.15.zip" in found.text
