"""The settings in the installer's file: the valid ones, and a diagnostic for every other line.

Pure. A bad line is left out, with a sentence that says what to write instead; the good lines are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from companion.provisioning.lines import Assignment, OtherLine, parse_lines
from companion.provisioning.values import (
    LOOKS_LIKE_KEY,
    NAMES,
    OPEN,
    OWNERS,
    REMOVE,
    SECRETS,
    Choices,
    InvalidValue,
    validate,
)

_ALSO_CALLED = {
    **dict.fromkeys(("api_key", "apikey", "dashscope_key", "dashscope_api_key"), "key"),
    **dict.fromkeys(("ssid", "wifi_ssid", "wifi_name", "wifi", "wi_fi", "network"), "wifi.ssid"),
    **dict.fromkeys(("password", "wifi_password", "psk", "passphrase", "wifi_key", "wifi.key"), "wifi.password"),
    **dict.fromkeys(("country", "wifi_country", "wifi2.country"), "wifi.country"),
    **dict.fromkeys(("hidden", "wifi_hidden", "hidden_ssid"), "wifi.hidden"),
    **dict.fromkeys(("wifi2_ssid", "ssid2", "wifi_2"), "wifi2.ssid"),
    **dict.fromkeys(("wifi2_password", "password2"), "wifi2.password"),
    **dict.fromkeys(("log_transcripts", "transcripts"), "log.transcripts"),
    **dict.fromkeys(("fleet_salt", "salt"), "fleet.salt"),
    **dict.fromkeys(("neighbors", "neighbours_key", "neighbors_key"), "neighbours"),
    **dict.fromkeys(("owner", "owners_page", "owner_page_open"), "owner_page"),
    **dict.fromkeys(("time_zone", "tz"), "timezone"),
    **dict.fromkeys(("host_name", "host"), "hostname"),
    **dict.fromkeys(("wakeword", "wake"), "wake_word"),
    **dict.fromkeys(("quiet", "quiet_time", "night"), "quiet_hours"),
    **dict.fromkeys(
        ("daily", "spending", "spending_daily", "daily_limit", "limit", "spending_limit"), "spending.daily"
    ),
    **dict.fromkeys(("monthly", "spending_monthly", "monthly_limit"), "spending.monthly"),
}
_NETWORKS = ("wifi", "wifi2")
_ENTERPRISE = ("identity", "eap", "anonymous_identity", "phase2", "phase2_auth", "ca_cert", "client_cert")
_SIGN_IN = ("user", "username", "user_name", "login")
_ENTERPRISE_TEXT = (
    "a Wi-Fi where each person signs in with a name (WPA Enterprise, 802.1X) cannot be set up here, so it was left out."
    " Use one that wants a password alone, such as a network for guests."
)
_TABLES = ("wifi", "wifi2", "spending", "log", "fleet")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message to the installer."""

    text: str
    line: int = 0
    """0 where it is not about one line."""
    name: str = ""
    """The setting that it is about, or empty."""
    note: bool = False
    """Whether this is only a remark that needs no action."""


@dataclass(frozen=True, slots=True)
class InstallerSettings:
    """The valid settings. One that is missing here was not given, or was wrong."""

    values: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    secret_spans: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Start and end in the text of each valid secret, and of what is the owner's, for blanking it."""
    rejected: frozenset[str] = frozenset()
    """Settings that were given but are wrong."""
    recognised: bool = False
    """Whether any line has a known name. If not, this is some other file, or a destroyed one."""

    def text(self, name: str) -> str | None:
        """The value of a text setting, or None."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None


def read_settings(text: str, choices: Choices) -> InstallerSettings:
    """Check every line. Never raises, whatever the text is."""
    diagnostics: list[Diagnostic] = []
    given: dict[str, Assignment] = {}
    enterprise: dict[str, int] = {}
    recognised = False
    for one in parse_lines(text):
        if isinstance(one, OtherLine):
            recognised |= one.kind == "table" and one.name in _TABLES
            diagnostics.extend(_diagnose_other_line(one))
        elif (name := _setting_name(one)) is None:
            if network := _enterprise_network(one):
                recognised = True
                enterprise.setdefault(network, one.line)
            else:
                diagnostics.append(_diagnose_unknown(one))
        else:
            recognised = True
            before = given.get(name)
            if before is not None and before.value not in (None, ""):
                if one.value in (None, ""):
                    continue
                used = f"the one in line {one.line} counts. Remove the other."
                diagnostics.append(Diagnostic(f"stands twice; {used}", before.line, name))
            given[name] = one
    values: dict[str, str | int | float | bool] = {}
    secret_spans: dict[str, tuple[int, int]] = {}
    rejected: set[str] = set()
    for name, entry in given.items():
        diagnostics.extend(Diagnostic(f"{remark}.", entry.line, name, note=True) for remark in entry.remarks)
        try:
            value = validate(name, entry, text, choices)
        except InvalidValue as wrong:
            diagnostics.append(Diagnostic(str(wrong), entry.line, name))
            rejected.add(name)
        else:
            if value is not None:
                values[name] = value
                if name in (*SECRETS, *OWNERS) and value not in (REMOVE, OPEN):
                    secret_spans[name] = (entry.start, entry.end)
    for network, line in enterprise.items():
        diagnostics.append(Diagnostic(_ENTERPRISE_TEXT, line, network))
        rejected |= {f"{network}.ssid", f"{network}.password"}
    hidden = [one for one in diagnostics if one.text.startswith("#")]
    diagnostics = [one for one in diagnostics if one not in hidden or one.name not in values]
    return InstallerSettings(values, tuple(diagnostics), secret_spans, frozenset(rejected), recognised)


def _setting_name(entry: Assignment) -> str | None:
    full = f"{entry.table}.{entry.name}" if entry.table else entry.name
    for name in (full, entry.name):
        # Every line below [wifi] belongs to that table, but `key` still means the service's key there.
        if name in NAMES:
            return name
        if name == "wifi.key" and LOOKS_LIKE_KEY.match(str(entry.value)):
            return "key"
        if name in _ALSO_CALLED:
            return _ALSO_CALLED[name]
    table = get_close_matches(entry.table, _TABLES, 1) if entry.table else []
    return f"{table[0]}.{entry.name}" if table and f"{table[0]}.{entry.name}" in NAMES else None


def _enterprise_network(entry: Assignment) -> str | None:
    """The network (`wifi`, `wifi2`) that this line makes one where each person signs in; None for other lines."""
    table, _, name = f"{entry.table}.{entry.name}".strip(".").rpartition(".")
    name = re.sub(r"^(wifi2?)_", "", name)
    if entry.value in (None, ""):
        return None
    if name in _ENTERPRISE or (
        table in _NETWORKS
        and (name in _SIGN_IN or re.search(r"eap|enterprise|802\.?1x", str(entry.value), re.IGNORECASE))
    ):
        return table if table in _NETWORKS else _NETWORKS[0]
    return None


def _diagnose_other_line(stray: OtherLine) -> list[Diagnostic]:
    known = [name for name in (stray.name, stray.name.rpartition(".")[2]) if name in NAMES or name in _ALSO_CALLED]
    if stray.kind == "comment":
        name = _ALSO_CALLED.get(known[0], known[0]) if known else ""
        text = "# stands before this line, so it does not count; remove the # if it should."
        return [Diagnostic(text, stray.line, name, note=True)] if name else []
    if stray.kind == "table":
        if stray.name in _TABLES:
            return []
        near = get_close_matches(stray.name, _TABLES, 1)
        return [Diagnostic("There is no such part here." + (f" Is it [{near[0]}]?" if near else ""), stray.line)]
    if stray.kind == "damage":
        return [
            Diagnostic(
                "This line is damaged. Write it again, or begin again with a fresh copy of the file.", stray.line
            )
        ]
    if known:
        return [
            Diagnostic(f'write it with the sign = and quotation marks, as {known[0]} = "..."', stray.line, known[0])
        ]
    return [Diagnostic("This line sets nothing. Write NAME = VALUE, or put a # before it.", stray.line)]


def _diagnose_unknown(entry: Assignment) -> Diagnostic:
    near = get_close_matches(entry.name.rpartition(".")[2], [*NAMES, *_ALSO_CALLED], 1, 0.6)
    if not near:
        return Diagnostic(f"There is no setting of this name. There are: {', '.join(NAMES)}.", entry.line)
    name = _ALSO_CALLED.get(near[0], near[0])
    return Diagnostic(f"There is no setting of this name. Is it {name.rpartition('.')[2]}?", entry.line)
