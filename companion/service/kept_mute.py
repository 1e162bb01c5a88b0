"""Keeps a mute by button or command over restarts, crashes and power cuts: the file `muted` in the state folder.

Only its presence counts. Where it cannot be told whether it is there, the device is muted: nobody is listened to by
mistake. A hardware switch is not kept, because it is read anew at every start.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from companion.errors import DeviceError
from companion.storage import PRIVATE, create_private_folder, sync_folder, write_atomically

MUTE_FILE = "muted"

_TEXT = b"Muted by button or command. Unmuting removes this file.\n"


class KeptMute:
    """Whether somebody muted the device, and the file that remembers it. On the loop; the disk has its own thread."""

    def __init__(self, folder: Path) -> None:
        """Blocks for one look at the disk."""
        self._path = folder / MUTE_FILE
        # One thread: the disk sees the presses in their order, also when somebody stopped waiting for one.
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mute")
        self.muted = _may_exist(self._path)

    async def set(self, muted: bool) -> None:
        """Keep it. Returns when it is on the disk. Raises `DeviceError` where it cannot be kept; it counts until then.

        `muted` is changed at once.
        """
        self.muted = muted
        write = self._keep if muted else self._forget
        try:
            await asyncio.get_running_loop().run_in_executor(self._disk, write)
        except OSError as error:
            now, then = ("muted", "listen") if muted else ("unmuted", "be muted")
            raise DeviceError(
                f"It is {now}, but {self._path} cannot be written ({error.strerror or error}): "
                f"after a restart it would {then} again."
            ) from error

    def close(self) -> None:
        """Let the disk's thread end."""
        self._disk.shutdown(wait=False)

    def _keep(self) -> None:
        create_private_folder(self._path.parent)
        write_atomically(self._path, _TEXT, PRIVATE)

    def _forget(self) -> None:
        try:
            self._path.unlink()
        except FileNotFoundError:
            return
        sync_folder(self._path.parent)


def _may_exist(path: Path) -> bool:
    """Whether the file is there or cannot be looked for."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
