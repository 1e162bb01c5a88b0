"""A mute is on the disk before it is confirmed, and doubt means muted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from companion.errors import DeviceError
from companion.service.kept_mute import MUTE_FILE, KeptMute


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptMute]:
    kept = KeptMute(tmp_path)
    yield kept
    kept.close()


def after_restart(folder: Path) -> bool:
    later = KeptMute(folder)
    later.close()
    return later.muted


async def test_it_is_kept_until_it_is_undone(kept: KeptMute, tmp_path: Path) -> None:
    assert kept.muted is False
    await kept.set(True)
    assert after_restart(tmp_path) is True
    await kept.set(False)
    await kept.set(False)
    assert after_restart(tmp_path) is False


async def test_it_is_confirmed_only_when_the_disk_has_it(kept: KeptMute, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (real(descriptor), synced.append(True))[0])
    await kept.set(True)
    # The file and its folder; on undoing, the folder.
    assert len(synced) == 2
    await kept.set(False)
    assert len(synced) == 3


async def test_presses_in_a_row_end_as_the_last_one_said(kept: KeptMute, tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for muted in (True, False, True, False, True):
            group.create_task(kept.set(muted))
    assert kept.muted is True
    assert after_restart(tmp_path) is True


async def test_a_mute_that_cannot_be_kept_counts_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    kept = KeptMute(tmp_path / "state")
    with pytest.raises(DeviceError, match=r"It is muted, but .* after a restart it would listen again"):
        await kept.set(True)
    assert kept.muted is True
    kept.close()


def test_where_it_cannot_be_looked_for_the_device_is_muted(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    assert after_restart(tmp_path / "state") is True
    assert after_restart(tmp_path / "nowhere") is False


def test_whatever_stands_in_its_place_means_muted(tmp_path: Path) -> None:
    (tmp_path / MUTE_FILE).symlink_to("nowhere")
    assert after_restart(tmp_path) is True
