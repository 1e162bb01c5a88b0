"""What is sold carries no model that may not be sold."""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from companion.errors import CompanionError
from studio.kit.sold import KEPT, leave_out_keyword_models
from studio.kit.wheels import requirements_of
from tests.support.paths import ROOT

NAME = "pyopen_wakeword-1.1.0-py3-none-any.whl"
KEYWORDS = ("alexa.tflite", "hey_jarvis.tflite", "one_of_a_later_version.tflite", "deeper/okay_nabu.tflite")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with a wheel of the same form."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    files = {f"pyopen_wakeword/models/{name}": name.encode() for name in (*KEPT, *KEYWORDS)}
    files |= {"pyopen_wakeword/__init__.py": b"", "pyopen_wakeword/lib/libtensorflowlite_c.so": b"\x7fELF" * 1000}
    info = "pyopen_wakeword-1.1.0.dist-info"
    files[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: pyopen-wakeword\nVersion: 1.1.0\n"
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{name},sha256={hashlib.sha256(data).hexdigest()},{len(data)}\n" for name, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()
    with zipfile.ZipFile(folder / NAME, "w") as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name), data)
    (folder / "plain-1-py3-none-any.whl").write_bytes(b"another one stays as it is")
    return folder


def test_the_keyword_models_are_left_out(wheels: Path) -> None:
    leave_out_keyword_models(wheels)
    with zipfile.ZipFile(wheels / NAME) as made:
        names = made.namelist()
        record = made.read("pyopen_wakeword-1.1.0.dist-info/RECORD").decode()
    assert sorted(name for name in names if name.endswith(".tflite")) == sorted(
        f"pyopen_wakeword/models/{name}" for name in KEPT
    )
    assert sorted(line.partition(",")[0] for line in record.splitlines()) == sorted(names)
    assert (wheels / "plain-1-py3-none-any.whl").read_bytes() == b"another one stays as it is"
    assert len(list(wheels.iterdir())) == 2


def test_the_same_wheel_gives_the_same_bytes(wheels: Path) -> None:
    whole = (wheels / NAME).read_bytes()
    leave_out_keyword_models(wheels)
    once = (wheels / NAME).read_bytes()
    leave_out_keyword_models(wheels)
    assert (wheels / NAME).read_bytes() == once
    (wheels / NAME).write_bytes(whole)
    leave_out_keyword_models(wheels)
    assert (wheels / NAME).read_bytes() == once


def test_it_is_installed_as_a_kit_installs_it(wheels: Path, tmp_path: Path) -> None:
    leave_out_keyword_models(wheels)
    (wheels / "plain-1-py3-none-any.whl").unlink()
    (tmp_path / "requirements.txt").write_text(requirements_of(wheels))
    subprocess.run(
        [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "-q", "install", "--no-index",
         "--no-cache-dir", "--find-links", str(wheels), "--require-hashes", "-r", str(tmp_path / "requirements.txt"),
         "--target", str(tmp_path / "there")],
        check=True, capture_output=True,
    )  # fmt: skip
    assert {one.name for one in tmp_path.glob("there/pyopen_wakeword/models/**/*.tflite")} == set(KEPT)


def test_a_damaged_wheel_is_named(wheels: Path) -> None:
    (wheels / NAME).write_bytes(b"PK")
    with pytest.raises(CompanionError, match=rf"{NAME} is damaged .*: fetch it again"):
        leave_out_keyword_models(wheels)


def test_the_set_up_leaves_them_out_too() -> None:
    """Of the environment that these tests run in, which `scripts/setup.sh` made."""
    files = importlib.metadata.files("pyopen-wakeword") or []
    there = [file for file in files if file.suffix == ".tflite" and Path(str(file.locate())).exists()]
    made_by_setup = (ROOT / ".venv" / "made-in").is_file() and Path(sys.prefix) == ROOT / ".venv"
    if not made_by_setup:
        pytest.skip("the environment was made by hand")
    assert {file.name for file in there} == set(KEPT)
