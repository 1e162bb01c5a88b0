"""`companion doctor` as a person and a production line use it: exit status, page, JSON, card, keyboard."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from companion.cli.doctor import doctor
from companion.config.device import load_device
from companion.config.persona import load_persona
from companion.doctor.check import UnitUnderTest
from companion.doctor.plan import NAMES
from companion.doctor.recording import sound_card
from companion.errors import DeviceError
from companion.service import control
from companion.service.control_protocol import Button
from tests.support.paths import CONFIGS

DESK = CONFIGS / "devices" / "desk.toml"
QUICK = "settings,disk,memory,clock,daemon,lights,motions,contacts"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No companion of the user's own, and no state of theirs."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("companion.service.control.SERVICE_SOCKET", tmp_path / "none" / "companion.sock")


def run(*arguments: str, state: Path | None = None) -> Result:
    return CliRunner().invoke(doctor, [*arguments, *(["--state", str(state)] if state else [])])


def test_a_good_unit_exits_with_0(tmp_path: Path) -> None:
    done = run("--only", QUICK, "--json", state=tmp_path)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["passed"] is True
    assert told["partial"] is True
    assert (told["device"], told["persona"]) == ("desk", "Momo")
    assert [one["name"] for one in told["checks"]] == QUICK.split(",")
    outcomes = {one["name"]: one["outcome"] for one in told["checks"]}
    assert {outcomes[name] for name in ("lights", "motions", "contacts", "daemon")} == {"skip"}
    assert outcomes["settings"] == outcomes["disk"] == "pass"
    assert all(one["text"] for one in told["checks"])


def test_a_bad_unit_exits_with_1_and_the_page_says_what_to_do(tmp_path: Path) -> None:
    done = run("--only", "disk,clock", state=tmp_path / "file" / "below")
    assert done.exit_code == 0, done.output
    device = tmp_path / "unit.toml"
    device.write_text(
        f'persona = "{CONFIGS}/personas/teddy.toml"\n[body]\noutputs = ["serial"]\n[body.serial]\nport = "/dev/none"\n'
    )
    done = run("--device", str(device), "--only", "clock,serial", state=tmp_path)
    assert done.exit_code == 1
    assert "PASS  clock" in done.stdout
    assert "FAIL  serial" in done.stdout
    assert "-> Check the cable" in done.stdout
    assert "this unit is NOT ready" in done.stdout


def test_a_wrong_device_file_exits_with_78_and_the_board_is_tested_all_the_same(tmp_path: Path) -> None:
    device = tmp_path / "unit.toml"
    device.write_text('persona = "nobody.toml"\nvolume = 3\n[ears]\nwake = 5\n')
    done = run("--device", str(device), "--json", "--only", "disk,engines,lights")
    assert done.exit_code == 78
    told = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert told["settings"]["outcome"] == "fail"
    assert "volume: there is no such key" in told["settings"]["text"]
    assert told["disk"]["outcome"] == "pass"
    assert told["engines"]["text"] == told["lights"]["text"] == "not tried, because settings failed"


@pytest.mark.parametrize(
    ("only", "words"), [("microfone", "did you mean microphone?"), ("", "names no check"), (",", "names no check")]
)
def test_an_unknown_check_is_refused(only: str, words: str) -> None:
    done = run("--only", only)
    assert done.exit_code == 2
    assert words in done.output


def test_every_check_can_be_selected_by_its_name_on_the_page(tmp_path: Path) -> None:
    """Without settings none of them needs anything of the machine."""
    device = tmp_path / "unit.toml"
    device.write_text("nothing = 1\n")
    done = run("--device", str(device), "--json", state=tmp_path)
    assert [one["name"] for one in json.loads(done.stdout)["checks"]] == list(NAMES)
    assert json.loads(done.stdout)["partial"] is False


def test_the_card_is_written_with_the_units_number(tmp_path: Path) -> None:
    file = tmp_path / "unit.svg"
    done = run("--only", "disk", "--json", "--card", str(file), "--set", "identity=unit-7", state=tmp_path)
    words = "\n".join(ElementTree.fromstring(file.read_bytes()).itertext())
    assert json.loads(done.stdout)["unit"] in words
    assert "disk" in words


def test_a_card_that_cannot_be_written_is_reported_and_the_page_is_not_lost(tmp_path: Path) -> None:
    done = run("--only", "disk", "--card", str(tmp_path / "no" / "unit.svg"), state=tmp_path)
    assert isinstance(done.exception, DeviceError)
    assert "cannot be written" in str(done.exception)
    assert "PASS  disk" in done.stdout


HANGS = """
import threading
from companion.doctor import check, checks_board
checks_board.firmware_flags = lambda: threading.Event().wait()
check.LONGEST_S = 0.2
from companion.cli.doctor import doctor
doctor(["--only", "power", "--json", "--state", {state!r}])
"""


def test_a_driver_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS.format(state=str(tmp_path))],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    [power] = json.loads(done.stdout)["checks"]
    assert power["outcome"] == "fail"
    assert "cut off" in power["text"]


BODY = """
import sys
sys.path.insert(0, {tests!r})
from companion.cli.doctor import doctor
doctor(["--only", "lights", "--device", {device!r}, "--state", {state!r}])
"""
RECORDED = """
class Body:
    async def show(self, frame):
        pass
    async def close(self):
        pass
def build(device, persona):
    return Body()
"""


def test_a_person_at_a_terminal_is_asked(tmp_path: Path) -> None:
    (tmp_path / "some_body.py").write_text(RECORDED)
    device = tmp_path / "unit.toml"
    device.write_text(
        f'persona = "{CONFIGS}/personas/teddy.toml"\n[body]\noutputs = ["some_body:build"]\n'
        '[body.channels]\neyes = { kind = "light" }\n'
    )
    ours, theirs = pty.openpty()
    code = BODY.format(tests=str(tmp_path), device=str(device), state=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"[y = yes" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, b"n\n")
        assert process.stdout is not None
        page = process.stdout.read().decode()
    os.close(ours)
    assert b"Look at eyes now." in shown
    assert b"Did eyes shine red, green, blue and white?" in shown
    assert "FAIL  lights       eyes: you did not see it" in page
    assert process.returncode == 1


class Running:
    """A companion that runs, and the buttons that were pressed on it."""

    def __init__(self, **status: Any) -> None:
        self.pressed: list[Button] = []
        self._status = {"version": "1", "state": "idle", "muted": False, "problems": [], **status}

    async def press(self, button: Button) -> None:
        self.pressed.append(button)

    def set_volume(self, volume: float) -> None: ...

    def say(self, text: str) -> None: ...

    def reload(self, persona: str | None) -> str:
        return str(persona)

    def status(self) -> dict[str, Any]:
        return dict(self._status)


@pytest.fixture
def socket_file() -> Iterator[Path]:
    # The path of a socket may have 107 bytes only.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "run" / "companion.sock"


async def test_a_running_companion_is_reported_and_muted_while_the_test_listens(socket_file: Path) -> None:
    companion = Running()
    server = await control.serve(companion, socket_file)
    arguments = ["--only", "daemon", "--json", "--socket", str(socket_file)]
    done = await asyncio.to_thread(CliRunner().invoke, doctor, arguments)
    [told] = json.loads(done.stdout)["checks"]
    assert told["outcome"] == "pass"
    assert "running, idle" in told["text"]
    device = load_device(DESK)
    settings = {"device": device, "persona": load_persona(device.persona), "state": Path("/nonexistent")}
    async with sound_card(UnitUnderTest(**settings, socket=socket_file, daemon=companion.status())):
        assert companion.pressed == ["mute"]
    assert companion.pressed == ["mute", "unmute"]
    # Whoever muted it keeps it muted.
    async with sound_card(UnitUnderTest(**settings, socket=socket_file, daemon={"muted": True})):
        pass
    assert companion.pressed == ["mute", "unmute"]
    server.close()
    await server.wait_closed()
    for _ in range(3):  # its last answer may still be closing
        await asyncio.sleep(0)


def test_a_device_error_blames_a_running_companion() -> None:
    device = load_device(DESK)
    settings = {"device": device, "persona": load_persona(device.persona), "state": Path("/nonexistent")}
    error = DeviceError("the microphone is busy.")
    assert str(UnitUnderTest(**settings).with_daemon_hint(error)) == "the microphone is busy."
    assert "systemctl stop companion" in str(UnitUnderTest(**settings, daemon={}).with_daemon_hint(error))
