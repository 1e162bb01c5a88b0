"""An emulated 64-bit Arm board with a card in it: QEMU, with a root shell on its serial line.

The image needs no preparation: kernel and initramfs are read from its FAT partition. The kernel's command line
(`systemd.run=`) starts a script on the card, which starts the usual target and opens the shell.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_FAT_AT = "@@1M"
"""Offset of the first partition, as mtools expects it after the image's name."""

_SCRIPT = """#!/bin/sh
# Put here by image/boot-test.sh.
systemctl --no-block start multi-user.target
stty -F /dev/ttyAMA0 -echo
exec </dev/ttyAMA0 >/dev/ttyAMA0 2>&1
echo @@shell@@
exec sh
"""


class TrialFailed(Exception):
    """The test failed; the message is one sentence."""


@dataclass(frozen=True)
class Card:
    """A card as a file."""

    path: Path

    def read(self, name: str) -> bytes:
        """A file of the FAT partition."""
        done = subprocess.run(["mtype", "-i", f"{self.path}{_FAT_AT}", f"::{name}"], capture_output=True, check=False)
        if done.returncode:
            raise TrialFailed(f"{name} is not on the card's FAT partition")
        return done.stdout

    def write(self, name: str, data: bytes) -> None:
        """Write a file to the FAT partition, as an installer does."""
        command = ["mcopy", "-o", "-i", f"{self.path}{_FAT_AT}", "-", f"::{name}"]
        subprocess.run(command, input=data, check=True)


class Machine:
    """A board that is switched on. Leaving the context cuts its power."""

    def __init__(self, card: Card, folder: Path, name: str) -> None:
        self.started = time.monotonic()
        for part in ("vmlinuz", "initrd.img"):
            (folder / part).write_bytes(card.read(part))
        card.write("boot-test.sh", _SCRIPT.encode())
        line = (
            "root=LABEL=companion-root ro quiet loglevel=1 console=ttyAMA0 systemd.show_status=false "
            "systemd.mask=serial-getty@ttyAMA0.service "
            'systemd.run="/bin/sh /boot/firmware/boot-test.sh" systemd.run_success_action=none '
            "systemd.run_failure_action=none"
        )
        self._log: IO[bytes] = (folder / f"{name}.log").open("wb")
        self._process = subprocess.Popen(
            [
                *("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024"),
                *("-display", "none", "-monitor", "none", "-serial", "stdio", "-nic", "none", "-no-reboot"),
                *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img"), "-append", line),
                *("-drive", f"if=none,id=card,format=raw,file={card.path}", "-device", "virtio-blk-pci,drive=card"),
                *("-audiodev", "none,id=sound", "-device", "intel-hda", "-device", "hda-duplex,audiodev=sound"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._unread = b""

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_power()

    def cut_power(self) -> None:
        """Kill the machine (SIGKILL), so that nothing more is written to the card."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    @property
    def seconds(self) -> float:
        """Seconds since it was switched on."""
        return time.monotonic() - self.started

    def open_shell(self, within: float) -> None:
        """Wait for the shell. Raises `TrialFailed`."""
        # Send nothing before: input that arrives while nobody has opened the line blocks it for good.
        if self._read_until(rb"@@shell@@", within) is None:
            raise TrialFailed(f"no shell within {within:.0f} s")
        self.must("PS1=; PS2=")

    def run(self, command: str, within: float = 120) -> tuple[int, str]:
        """Exit status and output of a command. Raises `TrialFailed` where it does not end."""
        self._send(f"{{ {command}\n}} 2>&1; echo @@'end'$?@@")
        found = self._read_until(rb"@@end(\d+)@@", within)
        if found is None:
            raise TrialFailed(f"{command!r} did not end within {within:.0f} s")
        output, status = found
        return int(status[1]), output.decode("utf-8", "replace").replace("\r", "").strip()

    def must(self, command: str, within: float = 120) -> str:
        """The output of a command that must succeed. Raises `TrialFailed`."""
        status, output = self.run(command, within)
        if status:
            raise TrialFailed(f"{command!r} ended with {status}: {output[-600:]}")
        return output

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise TrialFailed("the machine has ended by itself") from error

    def _read_until(self, pattern: bytes, within: float) -> tuple[bytes, re.Match[bytes]] | None:
        """The output before the pattern, and the match; None where it does not appear in time."""
        assert self._process.stdout is not None
        end = time.monotonic() + within
        descriptor = self._process.stdout.fileno()
        while True:
            found = re.search(pattern, self._unread)
            if found is not None:
                before, self._unread = self._unread[: found.start()], self._unread[found.end() :]
                return before, found
            left = end - time.monotonic()
            if left <= 0:
                return None
            data = _read_some(descriptor, left)
            self._log.write(data)
            self._log.flush()
            self._unread += data


def _read_some(descriptor: int, within: float) -> bytes:
    import os
    import select

    if not select.select([descriptor], [], [], within)[0]:
        return b""
    data = os.read(descriptor, 65_536)
    if not data:
        raise TrialFailed("the machine has ended by itself")
    return data


def say(text: str) -> None:
    """Report the test's progress."""
    print(f"boot-test: {text}", file=sys.stderr, flush=True)
