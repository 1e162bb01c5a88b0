"""The scripts in image/: they are shell, they say what is wrong in one sentence, and an image is the same each time.

No image is built here; `make image` and `make image-test` do that.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

IMAGE = ROOT / "image"
SCRIPTS = sorted(
    [*IMAGE.rglob("*.sh"), *(IMAGE / "root/usr/lib/companion").iterdir(), IMAGE / "first-boot/first-boot-install"]
)


def run(*command: str | Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **({} if path is None else {"PATH": path})}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.name)
def test_it_is_shell(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n")
    assert run("sh", "-n", script).returncode == 0


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not here")
def test_shellcheck_has_nothing_to_warn_of() -> None:
    done = run("shellcheck", "-S", "warning", *SCRIPTS)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "name",
    [
        *("build.sh", "customise.sh", "boot-test.sh"),
        *("root/usr/lib/companion/data-partition", "root/usr/lib/companion/data-filesystem"),
    ],
)
def test_it_may_be_run(name: str) -> None:
    assert os.access(IMAGE / name, os.X_OK)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["build.sh"], "say where the image goes"),
        (["build.sh", "--out"], "--out needs a value"),
        (["build.sh", "--wrong"], "--wrong is not understood"),
        (["build.sh", "--out", "x.img", "--kit", "no/such/kit"], "no/such/kit is not there"),
        (["customise.sh"], "usage:"),
        (["customise.sh", "no.img", "--kit", "k.tar", "--out", "o.img"], "no.img is not there"),
        (["customise.sh", "a.img", "b.img"], "one image at a time"),
        (["boot-test.sh"], "say which image"),
        (["boot-test.sh", "no.img"], "no.img is not there"),
        (["kit/install.sh", "--wrong"], "--wrong is not understood"),
    ],
)
def test_wrong_use_is_one_sentence(command: list[str], told: str) -> None:
    done = run("sh", IMAGE / command[0], *command[1:])
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_missing_tools_are_named_with_their_packages(tmp_path: Path) -> None:
    for name in ("sh", "dirname", "id"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    done = run(shutil.which("sh") or "", IMAGE / "build.sh", "--out", tmp_path / "x.img", path=str(tmp_path))
    assert done.returncode == 1
    assert "sudo apt-get install mmdebstrap fdisk" in done.stderr


# --- fixed times ------------------------------------------------------------------------------------------------------

needs_ext4 = pytest.mark.skipif(
    any(shutil.which(tool, path="/usr/sbin:/sbin:" + os.environ["PATH"]) is None for tool in ("mkfs.ext4", "debugfs")),
    reason="e2fsprogs is not here",
)
WITH_SBIN = "/usr/sbin:/sbin:" + os.environ["PATH"]


def ext4(folder: Path, image: Path, size: str = "8M") -> None:
    environment = {**os.environ, "PATH": WITH_SBIN, "E2FSPROGS_FAKE_TIME": "1788220800"}
    uuid = "6b0d6d5c-7a41-4a5e-9a55-2f4bb1c1a001"
    command = ["mkfs.ext4", "-q", "-U", uuid, "-E", f"hash_seed={uuid}", "-d", folder, image, size]
    subprocess.run(command, env=environment, check=True, capture_output=True)


@needs_ext4
def test_two_makings_of_a_root_are_the_same(tmp_path: Path) -> None:
    images = []
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "etc").mkdir(parents=True)
        (folder / "etc/hostname").write_text("companion\n")
        (folder / "link").symlink_to("etc/hostname")
        for path in (folder / "etc/hostname", folder / "etc", folder / "link", folder):
            os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
        # A reader, a little later.
        os.utime(folder / "etc/hostname", (1_750_000_000 + len(images), 1_700_000_000))
        ext4(folder, tmp_path / f"{name}.img")
        done = run(sys.executable, IMAGE / "fixed_times.py", tmp_path / f"{name}.img", "1788220800", path=WITH_SBIN)
        assert done.returncode == 0, done.stderr
        images.append((tmp_path / f"{name}.img").read_bytes())
    assert images[0] == images[1]
    checked = run("e2fsck", "-fn", tmp_path / "one.img", path=WITH_SBIN)
    assert checked.returncode == 0, checked.stdout
    shown = run("debugfs", "-R", "stat /etc/hostname", tmp_path / "one.img", path=WITH_SBIN).stdout
    # 1700000000: the time of the content stays.
    assert "mtime: 0x6553f100" in shown


# --- customise.sh -----------------------------------------------------------------------------------------------------

needs_card_tools = pytest.mark.skipif(
    any(
        shutil.which(tool, path=WITH_SBIN) is None for tool in ("sfdisk", "mcopy", "mkfs.vfat", "mkfs.ext4", "debugfs")
    ),
    reason="tools for cards are not here",
)
CMDLINE = (
    "console=serial0,115200 root=PARTUUID=c0ffee00-02 rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n"
)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    path = tmp_path / "kit.tar"
    files = {
        "kit.json": b'{\n "version": "0.1.0",\n "machine": "aarch64",\n "python": "3.11",\n "device": "toy"\n}\n',
        "configs/boot/companion.toml": b'persona = "teddy"\n',
    }
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"companion-kit/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def stock_image(folder: Path, *, leave_out: str = "", release: str = "bookworm") -> Path:
    """What Raspberry Pi OS looks like to the script: a small card with the files that it knows it by."""
    root = folder / "stock"
    for name, text in {
        "etc/rpi-issue": "Raspberry Pi reference\n",
        "usr/lib/aarch64-linux-gnu/libc.so.6": "",
        "usr/lib/os-release": f"VERSION_CODENAME={release}\n",
        "var/lib/x": "",
        "opt/x": "",
        "etc/systemd/system/x": "",
    }.items():
        if name != leave_out:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    ext4(root, folder / "root.img", "32M")
    run("mkfs.vfat", "-C", folder / "boot.img", "8192", path=WITH_SBIN)
    if leave_out != "cmdline.txt":
        (folder / "cmdline.txt").write_text(CMDLINE)
        run("mcopy", "-i", folder / "boot.img", folder / "cmdline.txt", "::cmdline.txt")
    image = folder / "stock.img"
    with image.open("wb") as opened:
        opened.truncate((4096 + 16384 + 65536) * 512)
    table = "label: dos\nlabel-id: 0xc0ffee00\nstart=4096, size=16384, type=c\nstart=20480, size=65536, type=83\n"
    subprocess.run(["sfdisk", "-q", image], input=table, text=True, check=True, env={**os.environ, "PATH": WITH_SBIN})
    with image.open("r+b") as opened:
        for start, part in ((4096, "boot.img"), (20480, "root.img")):
            opened.seek(start * 512)
            opened.write((folder / part).read_bytes())
    return image


def customise(image: Path, kit: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return run("sh", IMAGE / "customise.sh", image, "--kit", kit, "--out", out, "--work", out.parent, path=WITH_SBIN)


@needs_card_tools
def test_a_stock_image_gets_kit_units_settings_and_room_for_data(tmp_path: Path, kit: Path) -> None:
    image, out = stock_image(tmp_path), tmp_path / "out.img"
    before = image.read_bytes()
    done = customise(image, kit, out)
    assert done.returncode == 0, done.stderr
    assert image.read_bytes() == before

    table = run("sfdisk", "-d", out, path=WITH_SBIN).stdout
    parts = [line for line in table.splitlines() if "start=" in line]
    assert len(parts) == 3
    assert "label-id: 0xc0ffee00" in table
    starts, sizes = ([int(line.split(f"{key}=")[1].split(",")[0]) for line in parts] for key in ("start", "size"))
    assert starts[:2] == [4096, 20480]
    # The data partition's content is not in the file: what stands there on a card stays.
    assert out.stat().st_size == starts[2] * 512 == (starts[1] + sizes[1]) * 512

    fat = f"{out}@@{4096 * 512}"
    cmdline = run("mtype", "-i", fat, "::cmdline.txt").stdout
    assert cmdline == "console=serial0,115200 root=PARTUUID=c0ffee00-02 rootwait quiet"
    assert run("mtype", "-i", fat, "::companion.toml").stdout == 'persona = "teddy"\n'

    root = tmp_path / "changed.img"
    root.write_bytes(out.read_bytes()[20480 * 512 :])
    assert run("e2fsck", "-fn", root, path=WITH_SBIN).returncode == 0
    kept = tmp_path / "kept.tar"
    run("debugfs", "-R", f"dump /opt/companion-kit.tar {kept}", root, path=WITH_SBIN)
    assert kept.read_bytes() == kit.read_bytes()
    for name in ("multi-user.target.wants/companion-install.service", "local-fs.target.wants/companion-data.service"):
        shown = run("debugfs", "-R", f"stat /etc/systemd/system/{name}", root, path=WITH_SBIN).stdout
        assert "Type: symlink" in shown, name
    shown = run("debugfs", "-R", "stat /usr/lib/companion/data-partition", root, path=WITH_SBIN).stdout
    assert "Mode:  0755" in shown
    assert "User:     0   Group:     0" in shown


@needs_card_tools
@pytest.mark.parametrize(
    ("leave_out", "told"),
    [
        ("cmdline.txt", "has no cmdline.txt"),
        ("etc/rpi-issue", "has no /etc/rpi-issue"),
        ("usr/lib/aarch64-linux-gnu/libc.so.6", "is for 32 bits"),
    ],
)
def test_an_image_that_is_not_known_is_refused(tmp_path: Path, kit: Path, leave_out: str, told: str) -> None:
    done = customise(stock_image(tmp_path, leave_out=leave_out), kit, tmp_path / "out.img")
    assert done.returncode == 1
    assert told in done.stderr
    assert not (tmp_path / "out.img").exists()


@needs_card_tools
def test_a_kit_for_another_release_is_refused(tmp_path: Path, kit: Path) -> None:
    done = customise(stock_image(tmp_path, release="trixie"), kit, tmp_path / "out.img")
    assert "is Debian's trixie and the kit is for bookworm" in done.stderr


@needs_card_tools
def test_what_is_no_image_is_refused(tmp_path: Path, kit: Path) -> None:
    (tmp_path / "noise.img").write_bytes(bytes(range(256)) * 4096)
    assert "is not known to this script" in customise(tmp_path / "noise.img", kit, tmp_path / "out.img").stderr
    cut = stock_image(tmp_path)
    cut.write_bytes(cut.read_bytes()[: 30000 * 512])
    assert "is cut off" in customise(cut, kit, tmp_path / "out.img").stderr
    (tmp_path / "stock.img.xz").touch()
    assert "is compressed" in customise(tmp_path / "stock.img.xz", kit, tmp_path / "out.img").stderr
    assert "is no uncompressed kit" in customise(cut, cut, tmp_path / "out.img").stderr
    assert not (tmp_path / "out.img").exists()
