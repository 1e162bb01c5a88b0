"""`companion run` on a virtual sound card. Waiting is for the daemon's own lines in its events file, never for time."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.paths import CONFIGS, DATA, ROOT
from tests.support.virtual_sound import VirtualSound

PATIENCE_S = 25.0


class Running:
    """`companion run`, and what it tells: its events come through a named pipe, so that nobody polls."""

    def __init__(self, sound: VirtualSound, folder: Path, *settings: str) -> None:
        """`settings` are further ones, as `--set` takes them."""
        self.settings = settings
        for name in ("personas", "devices", "choreography"):
            shutil.copytree(CONFIGS / name, folder / name)
        self.folder = folder
        self.environment = {
            **sound.environment,
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": str(ROOT),
        }
        self.selector = selectors.DefaultSelector()
        self.start()

    def start(self) -> None:
        """Start the daemon, for the first time or after `kill`."""
        events = self.folder / "events"
        os.mkfifo(events)
        command = [sys.executable, "-m", "companion", "run", "--device", str(self.folder / "devices" / "desk.toml")]
        quick = (
            "ears.endpoint.nobody_s=1",
            "conversation.opening_after_s=0.5",
            "character.emulator=always",
            "persona.opening=Hi.",
        )
        settings = (*quick, "voice.engine=espeak", f"ears.transcriber.model={DATA / 'vosk-tiny'}", *self.settings)
        options = ["--events", str(events), *(word for one in settings for word in ("--set", one))]
        self.process = subprocess.Popen(
            [*command, *options], env=self.environment, cwd=self.folder, stderr=subprocess.PIPE, text=True
        )
        self.descriptor = os.open(events, os.O_RDONLY)
        self.selector.register(self.descriptor, selectors.EVENT_READ)
        self.rest = b""

    def kill(self) -> None:
        """End it as a power cut does, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.selector.unregister(self.descriptor)
        os.close(self.descriptor)
        (self.folder / "events").unlink()

    def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next event of this kind with these fields."""
        while True:
            while b"\n" in self.rest:
                line, _, self.rest = self.rest.partition(b"\n")
                event: dict[str, Any] = json.loads(line)
                if event["kind"] == kind and fields.items() <= event.items():
                    return event
            assert self.selector.select(PATIENCE_S), f"no event {kind} {fields}"
            more = os.read(self.descriptor, 65536)
            assert more, f"it ended: {self.process.communicate()[1]}"
            self.rest += more

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "companion", *words],
            env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.command("status", "--json").stdout)
        return status
