"""Stores what must not stay on the card: the API key, the Wi-Fi with its password, the fleet's salt.

What was stored safely is named in `ProvisioningRun.stored_secrets`; only that is blanked in the installer's file.
The Wi-Fi is written as a NetworkManager keyfile (nm-settings-keyfile(5)), which must have mode 0600: it holds the
password, and NetworkManager ignores it otherwise.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from companion.identity import SALT_FILE, ensure_salt, machine_identity, unit_number
from companion.provisioning.installer_file import InstallerFile
from companion.provisioning.run import ProvisioningRun
from companion.provisioning.settings import Diagnostic
from companion.provisioning.values import REMOVE
from companion.storage import PRIVATE, PUBLIC

KEY_FILE = "dashscope-key"
"""The same name as the systemd credential (`companion.mind.api.key`)."""
WIFI_FILE = "wifi.json"
PROFILE = "companion.nmconnection"

_STORED = "is stored on the unit"

_NAMESPACE = uuid.UUID("c2f8e6a4-35a9-4b0c-8d0e-3c0b7f6f7d11")


@dataclass(frozen=True, slots=True)
class Wifi:
    """One network, with its password."""

    ssid: str
    password: str
    """Empty for an open network."""
    country: str
    """Two letters, or empty."""

    def __repr__(self) -> str:
        return "Wifi(hidden)"

    def to_json(self) -> bytes:
        """The form in which it is stored on the unit."""
        return json.dumps({"ssid": self.ssid, "password": self.password, "country": self.country}).encode()


def wifi_from_json(data: bytes) -> Wifi | None:
    """Read what `Wifi.to_json` wrote; None where it is damaged."""
    try:
        kept = json.loads(data)
        found = Wifi(kept["ssid"], kept["password"], kept["country"])
    except (ValueError, KeyError, TypeError):
        return None
    return found if all(isinstance(one, str) for one in (found.ssid, found.password, found.country)) else None


def networkmanager_profile(wifi: Wifi) -> bytes:
    """The connection profile, for WPA2 and mixed WPA2/WPA3 networks, or an open one where there is no password."""
    lines = [
        "[connection]",
        "id=companion",
        f"uuid={uuid.uuid5(_NAMESPACE, wifi.ssid)}",
        "type=wifi",
        "autoconnect=true",
        # Retry for ever: after a power cut the router usually starts more slowly than the unit.
        "autoconnect-retries=0",
        "",
        "[wifi]",
        "mode=infrastructure",
        f"ssid={_ssid(wifi.ssid)}",
        "",
    ]
    if wifi.password:
        lines += ["[wifi-security]", "key-mgmt=wpa-psk", f"psk={_escape(wifi.password)}", ""]
    lines += ["[ipv4]", "method=auto", "", "[ipv6]", "method=auto", ""]
    return "\n".join(lines).encode()


def _ssid(ssid: str) -> str:
    """As plain text where that is unambiguous, else as a list of bytes."""
    if re.fullmatch(r"[A-Za-z_-][A-Za-z0-9 _-]*(?<! )", ssid):
        return ssid
    return "".join(f"{byte};" for byte in ssid.encode("utf-8", "replace"))


def _escape(text: str) -> str:
    r"""Escaped for a GLib key file: `\\` for a backslash, `\s` for leading and trailing spaces."""
    inner = text.replace("\\", "\\\\")
    body = inner.strip(" ")
    before = len(inner) - len(inner.lstrip(" "))
    return "\\s" * before + body + "\\s" * (len(inner) - before - len(body) if body else 0)


def store_key(run: ProvisioningRun, file: InstallerFile) -> None:
    """Store the given key, and copy the stored key to where systemd looks for it."""
    path = run.folders.credentials / KEY_FILE
    copies = [run.folders.credstore / KEY_FILE] if run.folders.credstore else []
    key = file.settings.text("key")
    if key == REMOVE:
        run.remove(path, *copies)
        run.applied.append(("key", "was removed from the unit"))
        return
    if key:
        run.secrets.append(key)
        if run.write(path, f"{key}\n".encode(), PRIVATE, private=True):
            run.stored_secrets.add("key")
    kept = _read(path)
    if kept:
        run.secrets.append(kept.decode("utf-8", "replace").strip())
        for copy in copies:
            run.write(copy, kept, PRIVATE, private=True)
    if key or kept:
        run.applied.append(("key", _STORED))
    elif "key" not in file.settings.rejected:
        text = 'there is none. Write key = "..." with the key of the service; until then the unit only practises.'
        run.diagnostics.append(Diagnostic(text, name="key"))


def store_wifi(run: ProvisioningRun, file: InstallerFile) -> None:
    """Store the Wi-Fi and write its profile. A file that names none keeps the stored one, so the unit stays online."""
    path, profile = run.folders.credentials / WIFI_FILE, run.folders.network / PROFILE
    kept = wifi_from_json(_read(path) or b"")
    given = {name: file.settings.text(f"wifi.{name}") for name in ("ssid", "password", "country")}
    run.secrets += [one for one in (given["password"], kept.password if kept else None) if one]
    if given["ssid"] == REMOVE:
        run.remove(path, profile)
        run.applied.append(("wifi", "was removed from the unit"))
        return
    wifi = _choose_wifi(run, given, kept, file.settings.rejected)
    if wifi is None:
        return
    if wifi != kept and not run.write(path, wifi.to_json(), PRIVATE, private=True):
        return
    if given["password"] == wifi.password:
        run.stored_secrets.add("wifi.password")
    run.write(profile, networkmanager_profile(wifi), PRIVATE)
    run.report_value("wifi", wifi.ssid)
    run.applied.append(("wifi.password", _STORED if wifi.password else "none: an open network"))
    if wifi.country:
        run.applied.append(("wifi.country", wifi.country))
        run.write(run.folders.state / "wifi-country", f"{wifi.country}\n".encode(), PUBLIC)
    else:
        text = 'is missing: without it the Wi-Fi may stay off. Write two letters, as country = "DE".'
        run.diagnostics.append(Diagnostic(text, name="wifi.country"))


def _choose_wifi(
    run: ProvisioningRun, given: dict[str, str | None], kept: Wifi | None, rejected: frozenset[str]
) -> Wifi | None:
    """The network to use: the given one where it is complete, else the stored one."""
    if given["ssid"] and "wifi.password" not in rejected:
        known = kept if kept and kept.ssid == given["ssid"] else None
        password = given["password"] or (known.password if known else "")
        return Wifi(given["ssid"], password, given["country"] or (kept.country if kept else ""))
    if given["password"] and not given["ssid"] and "wifi.ssid" not in rejected:
        run.diagnostics.append(Diagnostic("is missing: the password alone is not enough.", name="wifi.ssid"))
    return replace(kept, country=given["country"]) if kept and given["country"] else kept


def ensure_identity(run: ProvisioningRun, file: InstallerFile, machine_files: Sequence[Path]) -> str:
    """Make sure that the unit has its salt, and return its number; empty in a dry run on a unit without one."""
    fleet = file.settings.text("fleet.salt")
    run.secrets += [fleet] if fleet else []
    state = run.folders.state
    if run.dry_run:
        return unit_number(machine_identity(state, machine_files)) if (state / SALT_FILE).exists() else ""

    def action() -> None:
        if ensure_salt(state, fleet) == "refused":
            text = "cannot be set any more: the memories of this unit hang on its number. Remove the line."
            run.diagnostics.append(Diagnostic(text, name="fleet.salt"))
        elif fleet:
            run.stored_secrets.add("fleet.salt")

    run.try_or_report("The unit's own disk cannot be written, so its number is not yet the one it will have", action)
    if "fleet.salt" in run.stored_secrets:
        run.applied.append(("fleet.salt", _STORED))
    return unit_number(machine_identity(state, machine_files))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
