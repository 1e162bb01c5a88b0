"""The factory reset: nothing of the owner is left in any file, and what the manufacturer set stays."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from companion.cli.factory_reset import factory_reset
from companion.config.device import Device
from companion.factory_reset import SECRETS_ASKED_FILE, ask_reset, erase_unit, finish_secrets, is_asked
from companion.mind.assembly import device_identity
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store
from companion.service.control_protocol import Answer
from companion.service.reset import finish_reset

SECRET = b"wobblethorpe"
KEPT = ("models/en/model.onnx", "calibration.toml", "echo.json", "device.toml", "persona.toml", "identity-salt")
GONE = (
    "owner.json",
    "owner-settings.toml",
    "owner-changes.jsonl.before",
    "owner-page/key.pem",
    "wake_words/hey-momo-1234.ww",
    "recordings/2026-11-28.wav",
    "muted",
    "something-of-a-later-version/deep/file",
    "companion.db.damaged-20260101-000000",
)
ROOTS = ("dashscope-key", "neighbours-key", "wifi.json", "wifi2.json", "wifi-country")


def filled(folder: Path) -> Path:
    state = folder / "companion"
    for name in (*KEPT, *GONE):
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_bytes(b"made by the maker" if name in KEPT else SECRET * 20_000)
    roots = folder / "companion-provision"
    roots.mkdir()
    for name in (*ROOTS, "hostname"):
        (roots / name).write_bytes(b"toy-1" if name == "hostname" else SECRET)

    async def remember() -> None:
        store = await Store.open(state, datetime.now)
        LongTermMemory(store, "Momo", datetime.now).keep("Ana", SECRET.decode(), "Oh!")
        await store.flush()
        await store.copy_if_due()
        await store.close()

    asyncio.run(remember())
    return state


def files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir())


def held(folder: Path) -> list[str]:
    """The files that hold the secret, links left out."""
    return [
        name for name in files(folder) if not (folder / name).is_symlink() and SECRET in (folder / name).read_bytes()
    ]


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(factory_reset, list(arguments), input=stdin)


def test_the_command_erases_both_folders_and_keeps_calibration_models_and_the_maker_s_settings(tmp_path: Path) -> None:
    state = filled(tmp_path)
    assert len(held(tmp_path)) == len(GONE) + len(ROOTS) + 2
    done = run("--state", str(state), "--yes")
    assert done.exit_code == 0, done.output
    assert held(tmp_path) == []
    # The card is cleaned at the next start.
    assert files(state) == sorted((*KEPT, "session-salt", SECRETS_ASKED_FILE))
    assert files(tmp_path / "companion-provision") == ["hostname"]
    assert "Switch the board off and on" in done.output


def test_where_nobody_can_be_asked_nothing_is_erased_without_yes(tmp_path: Path) -> None:
    state = filled(tmp_path)
    before = files(tmp_path)
    done = run("--state", str(state))
    assert done.exit_code == 2
    assert "add --yes; nothing was erased" in done.output
    assert files(tmp_path) == before


def test_a_running_unit_is_not_erased_under_its_feet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(filled(tmp_path)))
    monkeypatch.setattr("companion.service.control.send_request", lambda *_: Answer(ok=True, sentence="well"))
    before = files(tmp_path)
    done = run("--yes")
    assert "is running" in str(done.exception)
    assert files(tmp_path) == before


def test_an_asked_reset_is_finished_at_the_next_start_by_each_for_its_own_part(tmp_path: Path) -> None:
    state, roots = filled(tmp_path), tmp_path / "companion-provision"
    assert finish_reset(state, None) is None
    assert finish_secrets(state, roots, None, None) is None
    ask_reset(state)
    network = tmp_path / "network"
    network.mkdir()
    (network / "companion.nmconnection").write_bytes(SECRET)
    (network / "neighbour.nmconnection").write_bytes(b"not ours")
    assert finish_secrets(state, roots, network, None) is not None
    assert finish_reset(state, None) is not None
    assert held(tmp_path) == []
    assert files(network) == ["neighbour.nmconnection"]
    assert not is_asked(state)
    assert not is_asked(state, SECRETS_ASKED_FILE)
    assert files(state) == sorted((*KEPT, "session-salt"))


def test_a_power_cut_amid_it_only_delays_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = filled(tmp_path)
    ask_reset(state)
    real = Path.unlink
    gone: list[Path] = []

    def cut(path: Path, missing_ok: bool = False) -> None:
        if len(gone) == 3:
            raise KeyboardInterrupt
        gone.append(path)
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", cut)
    with pytest.raises(KeyboardInterrupt):
        finish_reset(state, None)
    monkeypatch.setattr(Path, "unlink", real)
    assert is_asked(state)
    finish_reset(state, None)
    assert held(state) == []


def test_links_are_removed_and_what_they_point_to_is_not_touched(tmp_path: Path) -> None:
    state, elsewhere = filled(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "diary").write_bytes(b"somebody's own")
    (state / "link").symlink_to(elsewhere / "diary")
    (state / "folder").symlink_to(elsewhere)
    os.link(elsewhere / "diary", state / "second-name")
    erase_unit(state)
    assert (elsewhere / "diary").read_bytes() == b"somebody's own"
    assert files(state) == sorted((*KEPT, "session-salt"))


def test_a_memory_in_another_folder_goes_and_what_lies_beside_it_stays(tmp_path: Path) -> None:
    state = filled(tmp_path)
    other = tmp_path / "memories"
    other.mkdir()
    for name in ("companion.db", "companion.db-wal", "companion.db.copy"):
        (other / name).write_bytes(SECRET)
    (other / "holiday.jpg").write_bytes(b"a picture")
    erase_unit(state, other)
    assert files(other) == ["holiday.jpg"]


def test_what_the_service_keeps_of_earlier_sessions_cannot_be_reached_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    device = Device.model_validate({"persona": "p.toml", "identity": "unit-1"})
    before = device_identity(device, ())
    assert before == "unit-1"
    erase_unit(tmp_path)
    first = device_identity(device, ())
    erase_unit(tmp_path)
    assert len({before, first, device_identity(device, ())}) == 3
