"""A Wi-Fi as NetworkManager reads it: one keyfile (nm-settings-keyfile(5)).

Pure. The file holds the password: it must have mode 0600, and NetworkManager ignores it otherwise.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass

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
        """The form in which it is kept on the unit."""
        return json.dumps({"ssid": self.ssid, "password": self.password, "country": self.country}).encode()


def wifi_from_json(data: bytes) -> Wifi | None:
    """What `Wifi.to_json` wrote; None where that is damaged."""
    try:
        kept = json.loads(data)
        found = Wifi(kept["ssid"], kept["password"], kept["country"])
    except (ValueError, KeyError, TypeError):
        return None
    return found if all(isinstance(one, str) for one in (found.ssid, found.password, found.country)) else None


def keyfile(wifi: Wifi) -> bytes:
    """The connection profile. WPA2 and mixed WPA2/WPA3 networks; an open one without a password."""
    lines = [
        "[connection]",
        "id=companion",
        f"uuid={uuid.uuid5(_NAMESPACE, wifi.ssid)}",
        "type=wifi",
        "autoconnect=true",
        # Try for ever: a router that starts more slowly than the unit is the usual case after a power cut.
        "autoconnect-retries=0",
        "",
        "[wifi]",
        "mode=infrastructure",
        f"ssid={_ssid(wifi.ssid)}",
        "",
    ]
    if wifi.password:
        lines += ["[wifi-security]", "key-mgmt=wpa-psk", f"psk={_escaped(wifi.password)}", ""]
    lines += ["[ipv4]", "method=auto", "", "[ipv6]", "method=auto", ""]
    return "\n".join(lines).encode()


def _ssid(ssid: str) -> str:
    """Plain where nothing in it could be misread, else as a list of bytes."""
    if re.fullmatch(r"[A-Za-z_-][A-Za-z0-9 _-]*(?<! )", ssid):
        return ssid
    return "".join(f"{byte};" for byte in ssid.encode("utf-8", "replace"))


def _escaped(text: str) -> str:
    """As GLib's key files want it: a backslash before a backslash, spaces at the ends by name."""
    inner = text.replace("\\", "\\\\")
    body = inner.strip(" ")
    before = len(inner) - len(inner.lstrip(" "))
    return "\\s" * before + body + "\\s" * (len(inner) - before - len(body) if body else 0)
