"""Stores the Wi-Fi, and a second one, and writes their profiles for NetworkManager.

A profile is a keyfile (nm-settings-keyfile(5)) with mode 0600: it holds the password, and NetworkManager ignores it
otherwise. A network without a password must be asked for in words (`password = "open"`): a password that got lost must
not let the unit join whatever open network has that name.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, replace

from companion.provisioning.installer_file import InstallerFile
from companion.provisioning.run import ProvisioningRun
from companion.provisioning.settings import Diagnostic
from companion.provisioning.values import OPEN, REMOVE, is_valid
from companion.storage import PRIVATE

WIFI_FILES = ("wifi.json", "wifi2.json")
COUNTRY_FILE = "wifi-country"

STORED = "is stored on the unit"
_PROFILES = {"wifi": ("companion", 1), "wifi2": ("companion-2", 0)}
"""Name and priority of each network's profile: the first is preferred where both are in reach."""
_NAMESPACE = uuid.UUID("c2f8e6a4-35a9-4b0c-8d0e-3c0b7f6f7d11")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


@dataclass(frozen=True, slots=True)
class Wifi:
    """One network, with its password."""

    ssid: str
    password: str
    """Empty for an open network."""
    country: str
    """Two letters, or empty."""
    hidden: bool = False
    """Whether the network does not announce its name, so that it must be asked for."""

    def __repr__(self) -> str:
        return "Wifi(hidden)"

    def to_json(self) -> bytes:
        """The form in which it is stored on the unit."""
        kept = {"ssid": self.ssid, "password": self.password, "country": self.country, "hidden": self.hidden}
        return json.dumps(kept).encode()


def wifi_from_json(data: bytes) -> Wifi | None:
    """Read what `Wifi.to_json` wrote; None where it is damaged, or holds what no `companion.toml` could set."""
    try:
        kept = json.loads(data)
        found = Wifi(kept["ssid"], kept["password"], kept["country"], kept.get("hidden", False))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    valid = (
        is_valid("wifi.ssid", found.ssid)
        and (found.password == "" or is_valid("wifi.password", found.password))
        and (found.country == "" or is_valid("wifi.country", found.country))
        and isinstance(found.hidden, bool)
    )
    return found if valid else None


def networkmanager_profile(wifi: Wifi, name: str = "companion", priority: int = 0) -> bytes:
    """The connection profile, for WPA2 and mixed WPA2/WPA3 networks, or an open one where there is no password.

    Of several networks in reach, the one with the higher priority is used.
    """
    lines = [
        "[connection]",
        f"id={name}",
        f"uuid={uuid.uuid5(_NAMESPACE, wifi.ssid)}",
        "type=wifi",
        "autoconnect=true",
        f"autoconnect-priority={priority}",
        # Retry for ever: after a power cut the router usually starts more slowly than the unit.
        "autoconnect-retries=0",
        "",
        "[wifi]",
        "mode=infrastructure",
        f"ssid={_ssid(wifi.ssid)}",
        *(["hidden=true"] if wifi.hidden else []),
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
    r"""Escaped for a GLib key file: `\\`, `\n` and the like, and `\s` for leading and trailing spaces."""
    inner = text.translate(_ESCAPES)
    body = inner.strip(" ")
    before = len(inner) - len(inner.lstrip(" "))
    return "\\s" * before + body + "\\s" * (len(inner) - before - len(body) if body else 0)


def store_networks(run: ProvisioningRun, file: InstallerFile) -> tuple[str, ...]:
    """Store both networks, write their profiles, and the country for the radio. Returns the names in effect."""
    first = _store(run, file, "wifi")
    second = _store(run, file, "wifi2", not_again=first)
    names = tuple(one.ssid for one in (first, second) if one is not None)
    if not names:
        return names
    country = file.settings.text("wifi.country") or (first.country if first else "") or _kept_country(run)
    if country:
        run.applied.append(("wifi.country", country))
        run.write(run.folders.credentials / COUNTRY_FILE, f"{country}\n".encode(), PRIVATE, private=True)
    else:
        text = 'is missing: without it the Wi-Fi may stay off. Write two letters, as country = "DE".'
        run.diagnostics.append(Diagnostic(text, name="wifi.country"))
    return names


def _store(run: ProvisioningRun, file: InstallerFile, table: str, not_again: Wifi | None = None) -> Wifi | None:
    """Store one network and write its profile. A file that names none keeps the stored one, so the unit stays online.

    Returns the network in effect.
    """
    path = run.folders.credentials / f"{table}.json"
    name, priority = _PROFILES[table]
    profile = run.folders.network / f"{name}.nmconnection"
    kept_data = run.read(path)
    kept = wifi_from_json(kept_data) if kept_data else None
    if kept_data and kept is None:
        text = "what was stored is damaged and is not used. Write the network and its password again."
        run.diagnostics.append(Diagnostic(text, name=table))
    settings = file.settings
    given = {part: settings.text(f"{table}.{part}") for part in ("ssid", "password", "country")}
    secrets = (given["password"], kept.password if kept else None)
    run.secrets += [one for one in secrets if one and one != OPEN]
    if given["ssid"] == REMOVE:
        run.remove(path, profile)
        run.applied.append((table, "was removed from the unit"))
        return None
    wifi = _choose(run, given, kept, settings.rejected, table)
    if wifi is None:
        return None
    if settings.text(f"{table}.ssid"):
        wifi = replace(wifi, hidden=settings.values.get(f"{table}.hidden") is True)
    if not_again is not None and wifi.ssid == not_again.ssid:
        run.diagnostics.append(Diagnostic("is the network of [wifi] already.", name=f"{table}.ssid"))
        run.remove(profile)
        return None
    if wifi != kept and not run.write(path, wifi.to_json(), PRIVATE, private=True):
        return None
    if given["password"] == wifi.password:
        run.stored_secrets.add(f"{table}.password")
    run.write(profile, networkmanager_profile(wifi, name, priority), PRIVATE)
    run.report_value(table, f"{wifi.ssid} (hidden)" if wifi.hidden else wifi.ssid)
    run.applied.append((f"{table}.password", STORED if wifi.password else "none: an open network"))
    return wifi


def _choose(
    run: ProvisioningRun, given: dict[str, str | None], kept: Wifi | None, rejected: frozenset[str], table: str
) -> Wifi | None:
    """The network to use: the given one where it is complete, else the stored one."""
    ssid, password = given["ssid"], given["password"]
    if ssid and not rejected & {f"{table}.ssid", f"{table}.password"}:
        if password is None and kept and kept.ssid == ssid:
            password = kept.password or OPEN
        if password is not None:
            country = given["country"] or (kept.country if kept else "")
            return Wifi(ssid, "" if password == OPEN else password, country)
        text = f'is missing. Write the password, or password = "{OPEN}" for a Wi-Fi that has none.'
        run.diagnostics.append(Diagnostic(text, name=f"{table}.password"))
    elif password and not ssid and f"{table}.ssid" not in rejected:
        run.diagnostics.append(Diagnostic("is missing: the password alone is not enough.", name=f"{table}.ssid"))
    return replace(kept, country=given["country"]) if kept and given["country"] else kept


def _kept_country(run: ProvisioningRun) -> str:
    kept = (run.read(run.folders.credentials / COUNTRY_FILE) or b"").decode("ascii", "replace").strip()
    return kept if is_valid("wifi.country", kept) else ""
