"""The systemd unit of provisioning, checked by systemd itself and against the command."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from companion.cli.provision import provision
from tests.support.paths import ROOT

FOLDER = ROOT / "systemd"
UNITS = ("companion-provision.service", "companion-report.service")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("name", [*UNITS, "companion-report.timer"])
def test_systemd_finds_nothing_to_say_about_it(tmp_path: Path, name: str) -> None:
    # The installed program is not there on this machine.
    for unit in (*UNITS, "companion-report.timer"):
        text = re.sub(r"/opt/companion/\.venv/bin/companion", "/bin/true", (FOLDER / unit).read_text())
        (tmp_path / unit).write_text(text)
    copy = tmp_path / name
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("unit", UNITS)
def test_it_calls_the_command_as_the_command_is(tmp_path: Path, unit: str) -> None:
    text = (FOLDER / unit).read_text()
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    program, name, *arguments = shlex.split(line.removeprefix("ExecStart="))
    assert program.endswith("/companion")
    assert name == "provision"
    here = [str(tmp_path / one.strip("/")) if one.startswith("/") else one for one in arguments]
    done = CliRunner().invoke(provision, [*here, "--dry-run"])
    assert done.exit_code == 78
    assert "cannot be read" in done.output
    assert "SuccessExitStatus=78" in text


def test_the_report_is_about_the_folders_that_were_set_up() -> None:
    commands = [re.findall("^ExecStart=(.*)$", (FOLDER / unit).read_text(), re.MULTILINE) for unit in UNITS]
    assert [f"{commands[0][0]} --online"] == commands[1]
