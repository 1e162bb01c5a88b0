"""The systemd unit and the files beside it: valid, hardened, and consistent with the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from companion.ears import neighbour_link
from companion.errors import ConfigError
from companion.mind.api.key import CREDENTIAL
from companion.service.control import SERVICE_SOCKET
from companion.service.watchdog import SILENT_S
from tests.support.paths import ROOT

FOLDER = ROOT / "systemd"
UNIT = FOLDER / "companion.service"
PROGRAM = "/opt/companion/.venv/bin/companion"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def setting(name: str) -> list[str]:
    """Every value of a key of the unit, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)


def analysed(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze on the units, with the program in a place where there is one."""
    for unit in FOLDER.glob("*.service"):
        text = unit.read_text("utf-8").replace(PROGRAM, "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return subprocess.run(
        ["systemd-analyze", *arguments, str(tmp_path / UNIT.name)], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


@needs_systemd
def test_the_unit_is_clean(tmp_path: Path) -> None:
    done = analysed(tmp_path, "verify")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_the_sandbox_is_tight(tmp_path: Path) -> None:
    done = analysed(tmp_path, "security", "--offline=true", "--no-pager")
    [level] = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert float(level) <= 2.0


def test_the_unit_agrees_with_the_program() -> None:
    assert setting("RestartPreventExitStatus") == [str(ConfigError.exit_status)]
    assert [f"/run/{one}/companion.sock" for one in setting("RuntimeDirectory")] == [str(SERVICE_SOCKET)]
    assert setting("LoadCredential") == [CREDENTIAL, neighbour_link.CREDENTIAL]
    for credential in setting("LoadCredential"):
        assert f"/run/credstore/{credential} " in (FOLDER / "companion.tmpfiles.conf").read_text("utf-8")
    assert float(setting("WatchdogSec")[0]) > SILENT_S, "a slow transcriber alone must not cost the device its life"
    folder, user = setting("StateDirectory")[0], setting("User")[0]
    assert f"u {user} - " in (FOLDER / "companion.sysusers.conf").read_text("utf-8")
    assert f" /var/lib/{folder} " in (FOLDER / "companion.sysusers.conf").read_text("utf-8")


def test_every_group_of_the_unit_is_made() -> None:
    made = re.findall(r"^[gu] (\S+)", (FOLDER / "companion.sysusers.conf").read_text("utf-8"), re.MULTILINE)
    assert {*setting("SupplementaryGroups")[0].split(), *setting("Group")} <= set(made)


def test_every_class_of_devices_has_its_module_at_start() -> None:
    """A class that does not exist yet when the unit starts is left out of what it may reach."""
    modules = (FOLDER / "companion.modules.conf").read_text("utf-8").split("\n")
    needed = {"char-alsa": "snd", "char-ttyACM": "cdc_acm", "char-ttyUSB": "usbserial", "char-gpiochip": None}
    assert {one.split()[0] for one in setting("DeviceAllow")} == needed.keys()
    assert {one for one in needed.values() if one} <= set(modules)


def test_the_udev_rules_are_rules() -> None:
    text = (FOLDER / "99-companion.rules").read_text("utf-8")
    part = r'[A-Z]+(\{[A-Za-z_]+\})?(==|!=|\+=|=)"[^"]*"'
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(rf"{part}(, {part})*", line)] == []
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))
    assert 'SYMLINK+="companion-body"' in text
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in text


@pytest.fixture
def delay(tmp_path: Path) -> Path:
    """A place where restart-delay runs, and where `sleep` only says how long it would."""
    sleep = tmp_path / "bin" / "sleep"
    sleep.parent.mkdir()
    sleep.write_text('#!/bin/sh\necho "$1" >>"$RUNTIME_DIRECTORY/slept"\n')
    sleep.chmod(0o755)
    return tmp_path


def started(folder: Path, times: int = 1) -> list[int]:
    """How long each of so many starts, one soon after the other, would have waited."""
    environment = {"RUNTIME_DIRECTORY": str(folder), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    for _ in range(times):
        subprocess.run(["/bin/sh", FOLDER / "restart-delay"], env=environment, capture_output=True, check=True)
    return [int(line) for line in (folder / "slept").read_text().split()][-times:]


def test_a_service_that_keeps_failing_waits_longer_and_longer(delay: Path) -> None:
    assert started(delay, 9) == [0, 2, 4, 8, 16, 32, 60, 60, 60]


def test_after_ten_good_minutes_all_is_forgotten(delay: Path) -> None:
    started(delay, 6)
    os.utime(delay / "starts", times=(time.time() - 660,) * 2)
    assert started(delay, 2) == [0, 2]


@pytest.mark.parametrize("note", ["", "\n", "many\n", "-3\n", "999999999999999999999\n", "1; reboot\n", "\0"])
def test_a_spoilt_note_never_keeps_it_from_starting(delay: Path, note: str) -> None:
    (delay / "starts").write_text(note)
    assert started(delay, 2) == [0, 2]


@pytest.mark.parametrize(
    ("made", "named", "device"),
    [
        (False, None, "/opt/companion/configs/devices/desk.toml"),
        (True, None, "STATE/device.toml"),
        (True, "/etc/companion/other.toml", "/etc/companion/other.toml"),
    ],
)
def test_it_starts_with_the_device_that_was_meant(tmp_path: Path, made: bool, named: str | None, device: str) -> None:
    script = (FOLDER / "start").read_text("utf-8").replace(PROGRAM, "echo")
    environment = {"STATE_DIRECTORY": str(tmp_path), **({"COMPANION_DEVICE": named} if named else {})}
    if made:
        (tmp_path / "device.toml").touch()
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"run --device {device.replace('STATE', str(tmp_path))}\n"


def installed(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/sh", FOLDER / "install.sh", root], capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.getuid() != 0, reason="only root installs")
@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd is not installed")
def test_it_is_installed_into_an_image_and_once_more_without_harm(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).touch()
    first = installed(tmp_path)
    assert first.returncode == 0, first.stderr
    units = tmp_path / "etc" / "systemd" / "system"
    assert (units / "companion.service").read_text("utf-8") == UNIT.read_text("utf-8")
    assert (units / "multi-user.target.wants" / "companion.service").is_symlink()
    assert "companion:" in (tmp_path / "etc" / "passwd").read_text()
    settings = tmp_path / "etc" / "companion" / "companion.env"
    settings.write_text("COMPANION_DEVICE=/var/lib/companion/device.toml\n")
    (units / "companion.service").write_text("an older one")
    second = installed(tmp_path)
    assert second.returncode == 0, second.stderr
    assert "installed /etc/systemd/system/companion.service" in second.stdout
    assert "udev" not in second.stdout
    assert settings.read_text() == "COMPANION_DEVICE=/var/lib/companion/device.toml\n"
    assert os.readlink(tmp_path / "usr/local/bin/companion") == PROGRAM


@pytest.mark.skipif(os.getuid() != 0, reason="only root installs")
@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd is not installed")
def test_another_program_called_companion_stays(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).touch()
    other = tmp_path / "usr/local/bin/companion"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\n")
    done = installed(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "is another program and stays" in done.stdout
    assert other.read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize(
    "script",
    [
        "systemd/install.sh",
        "image/customise.sh",
        "image/build.sh",
        "image/boot-test.sh",
        "image/kit/install.sh",
        "scripts/setup.sh",
    ],
)
def test_a_script_says_what_it_is_for(script: str) -> None:
    done = subprocess.run(["/bin/sh", ROOT / script, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{script.removeprefix('image/kit/')} " in done.stdout
    assert "set -eu" not in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root gets that far")
def test_a_folder_that_is_no_root_is_left_alone(tmp_path: Path) -> None:
    done = installed(tmp_path)
    assert done.returncode == 1
    assert "is no root file system" in done.stderr
    assert list(tmp_path.iterdir()) == []
