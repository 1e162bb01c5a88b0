"""Locked, full and failing cards, and a power cut at every single write: no secret is lost or left exposed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.provisioned_unit import FILLED, KEY, PASSWORD, Unit, new_unit


def refusing(number: int, only: Path) -> Callable[..., Any]:
    real = os.open

    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and Path(path).parent == only:
            raise OSError(number, os.strerror(number), str(path))
        return real(path, flags, *rest, **more)

    return refuse


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EIO])
def test_on_a_locked_full_or_failing_card_the_secrets_are_stored_and_the_unit_says_where_they_still_stand(
    unit: Unit, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    unit.write_card(FILLED)
    monkeypatch.setattr(os, "open", refusing(number, unit.boot))
    outcome = unit.start()
    assert unit.key == KEY
    assert unit.file == FILLED
    said = (unit.state / "companion-report.txt").read_bytes().decode("utf-8-sig")
    assert "still stand in the file" in " ".join(said.split())
    assert any("report cannot be written" in one.text for one in outcome.to_do)
    assert KEY not in said


def test_where_the_units_own_disk_is_full_nothing_is_blanked(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    unit.write_card(FILLED)
    monkeypatch.setattr(os, "open", refusing(errno.ENOSPC, unit.credentials))
    unit.start()
    assert unit.file == FILLED
    assert "dashscope-key was not stored" in unit.words


class PowerCut(BaseException):
    """Nothing catches this."""


class Mains:
    """Cuts the power at one of the calls that change a disk; what was not forced to the disk is half lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.calls = 0
        self._unsafe: dict[int, int] = {}
        for name in ("write", "fsync", "replace", "unlink", "mkdir", "fchmod"):
            monkeypatch.setattr(os, name, self._wired(name, getattr(os, name)))

    def _wired(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            self.calls += 1
            self.left -= 1
            if self.left == 0:
                if name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                raise PowerCut
            result = real(*args, **more)
            if name == "write":
                self._unsafe[os.fstat(args[0]).st_ino] = args[0]
            elif name == "fsync":
                self._unsafe.pop(os.fstat(args[0]).st_ino, None)
            return result

        return call

    def lose(self, folder: Path) -> None:
        self.left = -1
        for path in folder.rglob("*"):
            if path.is_file() and path.stat().st_ino in self._unsafe:
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        self._unsafe.clear()


def test_the_power_may_fail_at_any_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither secret is ever in no place, and one more start puts everything right."""
    mains = Mains(monkeypatch)
    probe = tmp_path / "probe"
    probe.mkdir()
    unit = new_unit(probe)
    unit.write_card(FILLED)
    mains.calls = 0
    unit.start()
    calls, wanted = mains.calls, unit.file
    assert calls > 30
    for instant in range(1, calls + 1):
        folder = tmp_path / str(instant)
        folder.mkdir()
        unit = new_unit(folder)
        unit.write_card(FILLED)
        mains.left = instant
        with pytest.raises(PowerCut):
            unit.start()
        mains.lose(folder)
        on_card = "".join(path.read_bytes().decode() for path in unit.boot.glob("companion.toml*"))
        assert KEY in on_card or unit.key == KEY, instant
        assert PASSWORD in on_card or unit.wifi.get("password") == PASSWORD, instant
        unit.start()
        assert unit.key == KEY, instant
        assert unit.wifi["password"] == PASSWORD, instant
        assert unit.file == wanted, instant
        assert [path.name for path in unit.boot.iterdir() if path.suffix == ".new"] == []
        assert "ALL IS WELL" in unit.report


def test_a_power_cut_between_two_renames_is_recovered(unit: Unit) -> None:
    unit.write_card(FILLED)
    unit.start()
    # FAT can lose the old name before the new one stands.
    (unit.boot / "companion.toml").rename(unit.boot / "companion.toml.new")
    assert unit.start().to_do == ()
    assert "Nursery Net" in unit.file
