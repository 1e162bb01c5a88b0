"""`companion kit build`: the contents of a kit, that they are reproducible, and that a damaged one is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from companion.config.device import load_device
from companion.config.word_file import write
from companion.errors import CompanionError, ConfigError
from studio.cli import kit as kit_command
from studio.kit.bundle import reject_local_models, set_toml_value
from studio.kit.debs import read_names, write_index
from studio.kit.wheels import (
    Requirement,
    Target,
    copy_wheels,
    read_lock,
    reject_foreign_wheels,
    requirements_for,
    requirements_of,
    sha256_of,
)
from tests.support.own_words import own_word
from tests.support.paths import ROOT

MACHINE = os.uname().machine

needs_debian = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not here")


def wheel(folder: Path, name: str, content: str = "") -> Path:
    """A file with a wheel's name that is a zip file, and the same each time."""
    path = folder / name
    package, version = name.split("-")[:2]
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(zipfile.ZipInfo("content.py"), content or name)
        about = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        opened.writestr(zipfile.ZipInfo(f"{package}-{version}.dist-info/METADATA"), about)
    return path


# --- the lock ---------------------------------------------------------------------------------------------------------


def test_the_project_s_own_lock_is_understood() -> None:
    lock = read_lock((ROOT / "requirements.lock").read_text("utf-8"))
    names = {one.name for one in lock}
    assert {"vosk", "piper-tts", "lgpio", "srt", "pydantic-core"} <= names
    assert all(one.hashes for one in lock)


def test_conditions_are_those_of_the_unit_not_of_this_machine() -> None:
    lock = read_lock((ROOT / "requirements.lock").read_text("utf-8"))
    on_arm = {one.name for one in requirements_for(lock, Target("aarch64", "3.11"))}
    on_intel = {one.name for one in requirements_for(lock, Target("x86_64", "3.12"))}
    assert "lgpio" in on_arm
    assert "lgpio" not in on_intel
    assert "pocketsphinx" in on_arm
    assert "pocketsphinx" not in on_intel


_DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)
_NAME = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)
_REQUIREMENT = st.builds(
    Requirement,
    _NAME,
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}(\.post[0-9])?", fullmatch=True),
    st.frozensets(_DIGEST, min_size=1, max_size=3),
    st.sampled_from(["", "platform_machine == 'aarch64'", "python_version != '3.12'"]),
)


@given(st.lists(_REQUIREMENT, max_size=5))
def test_a_lock_is_read_as_it_was_meant(written: list[Requirement]) -> None:
    lines = ["# a comment"]
    for one in written:
        marker = f" ; {one.marker}" if one.marker else ""
        lines.append(
            " \\\n    ".join(
                [f"{one.name}=={one.version}{marker}", *(f"--hash=sha256:{digest}" for digest in sorted(one.hashes))]
            )
        )
    assert read_lock("\n".join(lines) + "\n") == tuple(written)


@given(st.text())
def test_no_text_is_taken_for_a_lock_by_accident(text: str) -> None:
    try:
        read = read_lock(text)
    except CompanionError:
        return
    assert all(one.hashes for one in read)


@pytest.mark.parametrize("line", ["numpy", "numpy==1", "numpy>=1 --hash=sha256:" + "0" * 64, "numpy==1 --hash=md5:00"])
def test_a_package_that_is_not_pinned_is_refused(line: str) -> None:
    with pytest.raises(CompanionError, match="not understood"):
        read_lock(line)


def test_a_condition_that_is_none_is_refused() -> None:
    with pytest.raises(CompanionError, match="condition that is none"):
        requirements_for(
            [Requirement("numpy", "1", frozenset({"0" * 64}), "moon == 'full'")], Target("aarch64", "3.11")
        )


# --- wheels -----------------------------------------------------------------------------------------------------------


def test_wheels_of_the_unit_s_system_and_older_ones_are_looked_for() -> None:
    platforms = Target("aarch64", "3.11").platforms
    assert platforms[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(platforms)
    assert "manylinux_2_39_aarch64" not in platforms


def test_every_missing_or_wrong_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path, "right-1-py3-none-any.whl")
    wheel(tmp_path, "other_one-2-py3-none-any.whl", "tampered with")
    right = sha256_of(tmp_path / "right-1-py3-none-any.whl")
    wanted = [
        Requirement("right", "1", frozenset({right})),
        Requirement("other-one", "2", frozenset({"0" * 64})),
        Requirement("absent", "3", frozenset({"0" * 64})),
    ]
    with pytest.raises(CompanionError) as raised:
        copy_wheels(wanted, tmp_path, tmp_path / "wheels")
    assert "other-one 2: other_one-2-py3-none-any.whl is not the file that the lock file means" in str(raised.value)
    assert "absent 3: is missing" in str(raised.value)
    assert "right 1" not in str(raised.value)


def test_a_wheel_for_another_machine_is_refused(tmp_path: Path) -> None:
    wheel(tmp_path, "plain-1-py3-none-any.whl")
    wheel(tmp_path, "good-1-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.whl")
    reject_foreign_wheels(tmp_path, Target("aarch64", "3.11"))
    wheel(tmp_path, "bad-1-cp311-cp311-manylinux_2_17_x86_64.whl")
    with pytest.raises(CompanionError, match=r"bad-1.* another machine than aarch64"):
        reject_foreign_wheels(tmp_path, Target("aarch64", "3.11"))


def test_the_kit_s_own_list_names_each_wheel_with_its_hash(tmp_path: Path) -> None:
    first, second = wheel(tmp_path, "Zeta_x-1.0-py3-none-any.whl"), wheel(tmp_path, "alpha-2-py3-none-any.whl")
    assert requirements_of(tmp_path).splitlines() == [
        f"alpha==2 --hash=sha256:{sha256_of(second)}",
        f"zeta-x==1.0 --hash=sha256:{sha256_of(first)}",
    ]


# --- Debian packages --------------------------------------------------------------------------------------------------


def test_the_lists_of_packages_are_lists_of_packages() -> None:
    for name in ("kit", "image"):
        assert len(read_names((ROOT / f"image/packages/{name}.txt").read_text("utf-8"))) > 3


@given(st.text())
def test_a_list_of_packages_holds_names_only(text: str) -> None:
    try:
        names = read_names(text)
    except CompanionError:
        return
    assert all(name.isascii() and not name.startswith("-") and " " not in name for name in names)


def deb(folder: Path, name: str, *, architecture: str = "all") -> Path:
    """A package with nothing in it."""
    tree = folder / "tree" / name
    (tree / "DEBIAN").mkdir(parents=True)
    control = (
        f"Package: {name}\nVersion: 1\nArchitecture: {architecture}\nMaintainer: nobody <n@example.org>\n"
        "Description: nothing\n"
    )
    (tree / "DEBIAN/control").write_text(control)
    path = folder / f"{name}_1_{architecture}.deb"
    built = ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(path)]
    subprocess.run(built, check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
    return path


@needs_debian
def test_apt_finds_the_packages_of_a_kit(tmp_path: Path) -> None:
    if shutil.which("apt-cache") is None:
        pytest.skip("apt is not here")
    debs = tmp_path / "debs"
    debs.mkdir()
    shutil.move(deb(tmp_path, "companion-trial-package"), debs)
    write_index(debs)
    for folder in ("lists/partial", "cache/archives/partial"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{debs} ./\n")
    (tmp_path / "status").touch()
    settings = {
        "Dir::Etc::sourcelist": "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": ".",
        "Dir::State::lists": "lists",
        "Dir::State::status": "status",
        "Dir::Cache": "cache",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "true",
    }
    options = [f"-o{key}={tmp_path / value if value else ''}" for key, value in settings.items() if key[:3] == "Dir"]
    options += [f"-o{key}={value}" for key, value in settings.items() if key[:3] != "Dir"]
    subprocess.run(["apt-get", *options, "update", "-q"], check=True, capture_output=True)
    found = subprocess.run(
        ["apt-get", *options, "install", "-s", "companion-trial-package"], check=True, capture_output=True, text=True
    )
    assert "Inst companion-trial-package (1" in found.stdout


@needs_debian
def test_a_damaged_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "half_1_arm64.deb").write_bytes(b"!<arch>\nhalf")
    with pytest.raises(CompanionError, match=r"half_1_arm64\.deb"):
        write_index(tmp_path)


# --- the whole --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project of the same shape, whose only dependency is a wheel in `stock`."""
    folder = tmp_path_factory.mktemp("project")
    for package in ("companion", "firmware_bridge"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text('__version__ = "0.1.0"\n')
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "companion"\nversion = "0.1.0"\n'
        '[tool.setuptools]\npackages = ["companion", "firmware_bridge"]\n'
    )
    (folder / "README.md").touch()
    (folder / "LICENSE").touch()
    for part in ("configs", "systemd", "image/kit", "image/packages"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "docs").mkdir()
    (folder / "stock").mkdir()
    made = wheel(folder / "stock", "plain-1-py3-none-any.whl")
    (folder / "requirements.lock").write_text(f"plain==1 \\\n    --hash=sha256:{sha256_of(made)}\n")
    (folder / "debs").mkdir()
    if shutil.which("dpkg-deb") is not None:
        shutil.move(deb(folder, "espeak-ng"), folder / "debs")
    return folder


def build(project: Path, out: Path, *more: str, device: Path | None = None) -> Result:
    arguments = ["build", "--device", str(device or project / "configs/devices/toy.toml"), "--out", str(out)]
    arguments += ["--wheels", str(project / "stock"), "--debs", str(project / "debs"), "--platform", MACHINE, *more]
    return CliRunner().invoke(kit_command.kit, arguments)


@pytest.fixture(scope="module")
def made(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked kit for this machine; read only."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kit_command, "PROJECT", project)
        result = build(project, folder / "kit.tar")
        assert result.exit_code == 0, result.output
        again = build(project, folder / "again.tar")
        assert again.exit_code == 0, again.output
    subprocess.run(["tar", "-xf", folder / "kit.tar", "-C", folder], check=True)
    return folder


def test_the_same_input_makes_the_same_kit(made: Path) -> None:
    assert (made / "kit.tar").read_bytes() == (made / "again.tar").read_bytes()


def test_a_kit_holds_what_a_unit_needs(made: Path) -> None:
    kit = made / "companion-kit"
    about = json.loads((kit / "kit.json").read_text())
    assert about["machine"] == MACHINE
    assert about["device"] == "toy"
    assert {one.name.partition("-")[0] for one in kit.glob("wheels/*.whl")} == {"plain", "companion"}
    assert {"plain==1", "companion==0.1.0"} == {
        line.split()[0] for line in (kit / "requirements.txt").read_text().splitlines()
    }
    for name in ("install.sh", "systemd/companion.service", "configs/personas/teddy.toml", "debs/Packages.gz"):
        assert (kit / name).is_file(), name
    assert 'device = "toy"' in (kit / "configs/boot/companion.toml").read_text()
    assert not (kit / "configs/devices/demo.toml").exists()


def test_the_manifest_covers_every_file(made: Path) -> None:
    kit = made / "companion-kit"
    listed = {line.split("  ", 1)[1] for line in (kit / "manifest.sha256").read_text().splitlines()}
    there = {one.relative_to(kit).as_posix() for one in kit.rglob("*") if one.is_file()}
    assert listed == there - {"manifest.sha256"}


def install_check(kit: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", kit / "install.sh", "--check"], capture_output=True, text=True, check=False)


def test_install_takes_a_whole_kit(made: Path) -> None:
    done = install_check(made / "companion-kit")
    assert done.returncode == 0, done.stderr
    assert "is whole" in done.stdout


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("wheels/plain-1-py3-none-any.whl", b"PK", "damaged (wheels/plain-1"),
        ("configs/personas/teddy.toml", b"", "damaged (configs/personas/teddy.toml"),
        ("kit.json", None, "not a whole kit"),
        ("requirements.txt", None, "damaged (requirements.txt"),
        ("manifest.sha256", None, "not a whole kit"),
        ("manifest.sha256", b"", "damaged"),
    ],
)
def test_install_refuses_a_damaged_kit(made: Path, tmp_path: Path, name: str, data: bytes | None, told: str) -> None:
    kit = shutil.copytree(made / "companion-kit", tmp_path / "kit")
    if data is None:
        (kit / name).unlink()
    else:
        (kit / name).write_bytes(data)
    done = install_check(kit)
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stdout == ""


def resealed(made: Path, place: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the kit with (file, old, new) changed, and a manifest that fits."""
    kit: Path = shutil.copytree(made / "companion-kit", place)
    for name, old, new in changes:
        text = (kit / name).read_text()
        assert old in text
        (kit / name).write_text(text.replace(old, new))
    names = sorted(one.relative_to(kit).as_posix() for one in kit.rglob("*") if one.is_file())
    lines = [f"{sha256_of(kit / name)}  {name}\n" for name in names if name != "manifest.sha256"]
    (kit / "manifest.sha256").write_text("".join(lines))
    return kit


def test_install_refuses_a_kit_for_another_machine(made: Path, tmp_path: Path) -> None:
    done = install_check(resealed(made, tmp_path / "kit", ("kit.json", MACHINE, "riscv64")))
    assert done.returncode == 1
    assert f"this kit is for riscv64 and this machine is {MACHINE}" in done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "configs/personas/evil.toml",
        "models/vosk/x",
        "systemd/evil.service",
        ".hidden",
        "wheels/a b\n.whl",
        "new/a.json",
    ],
)
def test_install_refuses_what_the_manifest_does_not_name(made: Path, tmp_path: Path, name: str) -> None:
    kit = shutil.copytree(made / "companion-kit", tmp_path / "kit")
    (kit / name).parent.mkdir(parents=True, exist_ok=True)
    (kit / name).touch()
    done = install_check(kit)
    assert done.returncode == 1
    assert f"{name.partition(chr(10))[0]} is no part of this kit" in done.stderr


def test_install_refuses_links(made: Path, tmp_path: Path) -> None:
    kit = shutil.copytree(made / "companion-kit", tmp_path / "kit")
    persona = kit / "configs/personas/teddy.toml"
    persona.rename(tmp_path / "elsewhere")
    persona.symlink_to(tmp_path / "elsewhere")
    done = install_check(kit)
    assert done.returncode == 1
    assert "configs/personas/teddy.toml is not a plain file" in done.stderr


@pytest.mark.parametrize("version", ["../../../x", "", "1 2", "1;reboot", "-rf", "1/2", "..", "$(reboot)"])
def test_install_refuses_a_version_that_is_none(made: Path, tmp_path: Path, version: str) -> None:
    kit = resealed(made, tmp_path / "kit", ("kit.json", '"version": "0.1.0"', f'"version": "{version}"'))
    done = install_check(kit)
    assert done.returncode == 1
    assert "kit.json is none of ours" in done.stderr


@pytest.mark.parametrize(
    ("offered", "installed", "is_older"),
    [
        ("0.1.0", "0.1.0", False), ("0.0.1", "0.1.0", True), ("0.1.0", "0.1.1", True), ("0.9.0", "0.10.0", True),
        ("0.10.0", "0.9.0", False), ("1.0", "1.0.1", True), ("1.0rc1", "1.0", True), ("1.0", "1.0rc1", False),
        ("1.0rc1", "1.0rc2", True), ("1.0.dev1", "1.0", True), ("1.0.dev1", "0.9", False),
    ],
)  # fmt: skip
def test_install_does_not_go_back_by_accident(
    made: Path, tmp_path: Path, offered: str, installed: str, is_older: bool
) -> None:
    home = tmp_path / "opt"
    home.mkdir()
    (home / "current").symlink_to(f"versions/{installed}-01234567")
    kit = resealed(
        made,
        tmp_path / "kit",
        ("kit.json", '"version": "0.1.0"', f'"version": "{offered}"'),
        ("install.sh", "home=/opt/companion", f"home={home}"),
    )
    done = install_check(kit)
    assert done.returncode == int(is_older), done.stderr
    told = f"this kit is older ({offered}) than what is installed ({installed})"
    assert (told in done.stderr) is is_older


def test_a_device_of_one_s_own_goes_along(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_command, "PROJECT", project)
    persona = (ROOT / "configs/personas/teddy.toml").read_text("utf-8")
    (tmp_path / "owl.toml").write_text(set_toml_value(persona, "name", "Owl"), "utf-8")
    device = tmp_path / "night_light.toml"
    device.write_text('# mine\npersona = "owl.toml"\n\n[body.channels]\nglow = { kind = "light" }\n')
    result = build(project, tmp_path / "kit.tar", device=device)
    assert result.exit_code == 0, result.output
    subprocess.run(["tar", "-xf", tmp_path / "kit.tar", "-C", tmp_path], check=True)
    kit = tmp_path / "companion-kit"
    assert (kit / "configs/devices/night_light.toml").read_text().startswith('# mine\npersona = "../personas/owl.toml"')
    assert 'device = "night_light"' in (kit / "configs/boot/companion.toml").read_text()


def device_with_words(folder: Path, wake: str) -> Path:
    """A device file with its own persona and words, in a folder of its own."""
    persona = (ROOT / "configs/personas/teddy.toml").read_text("utf-8")
    (folder / "owl.toml").write_text(set_toml_value(persona, "name", "Owl"), "utf-8")
    (folder / "words").mkdir()
    for name in ("hey_owl", "halt"):
        write(folder / "words" / f"{name}.ww", own_word(name.replace("_", " ")))
    device = folder / "night_owl.toml"
    device.write_text(f'persona = "owl.toml"\n[ears.wake]\n{wake}\n', "utf-8")
    return device


def test_its_wake_words_go_along_and_are_found(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_command, "PROJECT", project)
    halt = tmp_path / "words" / "halt.ww"
    device = device_with_words(
        tmp_path, f'words = [\'words/hey_owl.ww\', {{ word = "{halt}", role = "stop" }}, "alexa"]'
    )
    result = build(project, tmp_path / "kit.tar", device=device)
    assert result.exit_code == 0, (result.output, result.exception)
    subprocess.run(["tar", "-xf", tmp_path / "kit.tar", "-C", tmp_path], check=True)
    kit = tmp_path / "companion-kit"
    found = load_device(kit / "configs/devices/night_owl.toml").ears.wake.listed
    assert [one.name for one in found] == ["hey_owl", "halt", "alexa"]
    for one in found[:2]:
        assert one.file is not None
        assert one.file.resolve().parent == kit / "configs" / "wake_words"
        assert one.file.read_bytes() == (tmp_path / "words" / one.file.name).read_bytes()
        assert one.file.stat().st_mode & 0o044 == 0o044, "the service reads it"


@pytest.mark.parametrize(
    ("wake", "words"),
    [
        ("word = 'words/halt.ww'", "halt.ww: is damaged or cut off"),
        ("word = 'words/owl.ww'", "there is no file"),
        ('word = "words/hey\\u005fowl.ww"', "write the path of hey_owl.ww as it is"),
    ],
)
def test_a_wake_word_that_the_unit_could_not_hear_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wake: str, words: str
) -> None:
    monkeypatch.setattr(kit_command, "PROJECT", project)
    device = device_with_words(tmp_path, wake)
    halt = tmp_path / "words" / "halt.ww"
    halt.write_bytes(halt.read_bytes()[:-100])
    result = build(project, tmp_path / "kit.tar", device=device)
    assert isinstance(result.exception, ConfigError)
    assert words in str(result.exception)
    assert not (tmp_path / "kit.tar").exists()


def test_a_file_that_the_product_has_already_is_not_put_over_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_command, "PROJECT", project)
    shutil.copyfile(ROOT / "configs/personas/teddy.toml", tmp_path / "owl.toml")
    (tmp_path / "robot.toml").write_text('persona = "owl.toml"\n')
    result = build(project, tmp_path / "kit.tar", device=tmp_path / "robot.toml")
    assert isinstance(result.exception, ConfigError)
    assert "give it a name of its own" in str(result.exception)
    assert not (tmp_path / "kit.tar").exists()


@pytest.mark.parametrize("table", ["[ears.transcriber]", "[voice]"])
def test_a_model_beside_the_device_file_is_asked_for(tmp_path: Path, table: str) -> None:
    device = tmp_path / "owl.toml"
    device.write_text(f'persona = "teddy.toml"\n{table}\nmodel = "models/fine"\n')
    with pytest.raises(ConfigError, match="--models"):
        reject_local_models(device)


def test_unwritable_targets_and_conflicting_options_are_reported(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_command, "PROJECT", project)
    assert "there is no folder" in str(build(project, tmp_path / "no/where/kit.tar").exception)
    assert "holds no models" in str(build(project, tmp_path / "kit.tar", "--models", str(tmp_path)).exception)
    assert "exclude each other" in build(project, tmp_path / "kit.tar", "--download").output
    monkeypatch.setattr(kit_command, "PROJECT", tmp_path)
    assert "made from a checkout" in str(build(project, tmp_path / "kit.tar").exception)
    assert list(tmp_path.iterdir()) == []


def test_without_zstd_the_kit_may_be_plain(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit_command, "PROJECT", project)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("dpkg-deb", "tar"):
        if (found := shutil.which(name)) is not None:
            (tools / name).symlink_to(found)
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("PATH", str(tools))
    result = build(project, tmp_path / "out/kit.tar.zst")
    assert "zstd is missing here" in str(result.exception)
    assert list((tmp_path / "out").iterdir()) == []
