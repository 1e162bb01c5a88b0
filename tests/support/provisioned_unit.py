"""A unit with its card, as provisioning finds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from companion.config.character import CharacterSettings
from companion.config.device import Device, load_device
from companion.mind.api.key import find_key
from companion.provisioning.provision import Outcome, provision
from companion.provisioning.run import CONFIGS, Folders

KEY = "sk-4f1c9a7e2b8d4c6f"
PASSWORD = "sunshine&rain 77"
TEMPLATE = (CONFIGS / "boot" / "companion.toml").read_text("utf-8")
FILLED = (
    TEMPLATE.replace('key = ""', f'key = "{KEY}"')
    .replace('ssid = ""', 'ssid = "Nursery Net"')
    .replace('password = ""', f'password = "{PASSWORD}"')
    .replace('country = ""', 'country = "DE"')
    .replace('person = ""', 'person = "Ana"')
)
SERIAL = "10000000deadbeef"


@dataclass(frozen=True)
class Unit:
    """One card in one unit."""

    boot: Path
    state: Path
    machine: Path

    @property
    def credentials(self) -> Path:
        return self.boot.parent / "state-provision"

    @property
    def folders(self) -> Folders:
        return Folders(self.boot, self.state, self.credentials, self.boot.parent / "network", configs=CONFIGS)

    def write_card(self, data: str | bytes, name: str = "companion.toml") -> None:
        (self.boot / name).write_bytes(data.encode() if isinstance(data, str) else data)

    def start(self) -> Outcome:
        return provision(self.folders, machine_files=[self.machine])

    @property
    def report(self) -> str:
        return (self.boot / "companion-report.txt").read_bytes().decode("utf-8-sig")

    @property
    def words(self) -> str:
        """The report's words, without its line breaks."""
        return " ".join(self.report.split())

    @property
    def file(self) -> str:
        return (self.boot / "companion.toml").read_bytes().decode()

    @property
    def device(self) -> Device:
        return load_device(self.state / "device.toml")

    @property
    def key(self) -> str | None:
        path = self.credentials / "dashscope-key"
        if not path.exists():
            return None
        key = find_key(CharacterSettings(key_file=path))
        return key.reveal() if key else None

    @property
    def wifi(self) -> dict[str, str]:
        path = self.credentials / "wifi.json"
        return json.loads(path.read_text()) if path.exists() else {}


def new_unit(folder: Path) -> Unit:
    """A unit that was never provisioned, with an empty card."""
    for name in ("boot", "state", "network"):
        (folder / name).mkdir(exist_ok=True)
    machine = folder / "serial-number"
    machine.write_text(SERIAL)
    return Unit(folder / "boot", folder / "state", machine)
