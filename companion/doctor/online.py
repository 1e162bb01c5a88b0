"""Whether Wi-Fi and key do what the installer meant, for the report on the card (`companion provision --online`).

The Wi-Fi is asked of NetworkManager (`nmcli`), the key of the service itself, as the station test does. Blocks.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from companion.child_environment import child_environment
from companion.config.character import CharacterSettings
from companion.doctor.checks_service import ask_service
from companion.errors import ConfigError
from companion.provisioning.provision import OnlineFindings
from companion.provisioning.settings import Diagnostic

_NMCLI_WITHIN_S = 15.0


def look_online(settings: CharacterSettings, key_file: Path | None, networks: Sequence[str]) -> OnlineFindings:
    """Look at the Wi-Fi (the names in `networks`, the preferred one first) and try the key, if there is one."""
    wifi = look_at_wifi(networks) if networks else OnlineFindings()
    key = _try_key(settings, key_file) if key_file is not None else OnlineFindings()
    # A key that was tried tells more: the unit may hang on a cable.
    reached = wifi.reached if key_file is None else key.reached
    return OnlineFindings((*wifi.applied, *key.applied), (*wifi.diagnostics, *key.diagnostics), reached)


def look_at_wifi(networks: Sequence[str]) -> OnlineFindings:
    """Which of the networks the unit is in, or why it is in none."""
    active = _nmcli("--fields", "STATE,TYPE,NAME", "connection", "show", "--active")
    if active is None:
        return OnlineFindings()
    mine = {name for line in active if (name := line.removeprefix("activated:802-11-wireless:")) != line}
    for profile, ssid in zip(("companion", "companion-2"), networks, strict=False):
        if profile in mine:
            return OnlineFindings(applied=(("wifi now", f"connected to {ssid}"),))
    seen = _nmcli("--fields", "SSID", "device", "wifi", "list", "--rescan", "yes") or []
    there = [ssid for ssid in networks if ssid in seen]
    if there:
        text = f"{there[0]} is in reach and does not let the unit in: check the password (write it again in the file)."
    elif seen:
        text = (
            f"{' and '.join(networks)} cannot be seen from here. Check the name, letter by letter, and whether the "
            "unit can receive it there (many boards have 2.4 GHz only). If it is hidden, write hidden = true, and "
            "check the password."
        )
    else:
        text = "no Wi-Fi at all can be seen from here: check the country, and that the board has Wi-Fi."
    return OnlineFindings(diagnostics=(Diagnostic(text, name="wifi"),), reached=False)


def _try_key(settings: CharacterSettings, key_file: Path) -> OnlineFindings:
    try:
        found = asyncio.run(ask_service(settings.model_copy(update={"key_file": key_file})))
    except ConfigError as error:
        return OnlineFindings(diagnostics=(Diagnostic(f"{error}.", name="key"),))
    if found.outcome == "pass":
        return OnlineFindings(applied=(("key now", "the service takes it"),))
    if found.outcome == "skip":
        return OnlineFindings()
    answered = "status" in found.measured
    text = f"{found.text} {found.advice}"
    return OnlineFindings(diagnostics=(Diagnostic(text, name="key" if answered else ""),), reached=answered)


def _nmcli(*arguments: str) -> list[str] | None:
    """The lines that it prints; None where NetworkManager is not here or does not answer."""
    program = shutil.which("nmcli")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "--terse", "--escape", "no", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=_NMCLI_WITHIN_S,
            env={**child_environment(), "LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return [line for line in done.stdout.splitlines() if line]
