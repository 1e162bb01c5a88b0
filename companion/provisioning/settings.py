"""What the installer's file sets: the settings that count, and what is wrong with the others.

Pure. A bad line is left out with a sentence that says what to write instead; the good ones count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from companion.provisioning.lines import Entry, Stray, read_lines
from companion.provisioning.values import LOOKS_LIKE_KEY, NAMES, REMOVE, SECRETS, Choices, Wrong, judged

_ALSO_CALLED = {
    **dict.fromkeys(("api_key", "apikey", "dashscope_key", "dashscope_api_key"), "key"),
    **dict.fromkeys(("ssid", "wifi_ssid", "wifi_name", "wifi", "wi_fi", "network"), "wifi.ssid"),
    **dict.fromkeys(("password", "wifi_password", "psk", "passphrase", "wifi_key", "wifi.key"), "wifi.password"),
    **dict.fromkeys(("country", "wifi_country"), "wifi.country"),
    **dict.fromkeys(("log_transcripts", "transcripts"), "log.transcripts"),
    **dict.fromkeys(("fleet_salt", "salt"), "fleet.salt"),
}
_TABLES = ("wifi", "log", "fleet")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell the installer."""

    text: str
    line: int = 0
    """0 where it is about no line."""
    name: str = ""
    note: bool = False
    """Nothing needs to be done."""


@dataclass(frozen=True, slots=True)
class BootSettings:
    """What counts. A setting that is not there was not given, or given wrongly."""

    values: Mapping[str, str | int | bool] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Where in the text the secrets stand that count."""
    left_out: frozenset[str] = frozenset()
    """Settings that were given, but wrongly."""
    recognised: bool = False
    """Whether any line of the file was one of ours: else it is some other file, or destroyed."""

    def text(self, name: str) -> str | None:
        """The value of a setting that is text."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None


def read_settings(text: str, choices: Choices) -> BootSettings:
    """Judge every line. Never raises for anything that can stand in a file."""
    findings: list[Finding] = []
    given: dict[str, Entry] = {}
    recognised = False
    for one in read_lines(text):
        if isinstance(one, Stray):
            recognised |= one.kind == "table" and one.name in _TABLES
            findings.extend(_stray(one))
        elif (name := _name_of(one)) is None:
            findings.append(_unknown(one))
        else:
            recognised = True
            before = given.get(name)
            if before is not None and before.value not in (None, ""):
                if one.value in (None, ""):
                    continue
                used = f"the one in line {one.line} counts. Remove the other."
                findings.append(Finding(f"stands twice; {used}", before.line, name))
            given[name] = one
    values: dict[str, str | int | bool] = {}
    places: dict[str, tuple[int, int]] = {}
    left_out: set[str] = set()
    for name, entry in given.items():
        findings.extend(Finding(f"{remark}.", entry.line, name, note=True) for remark in entry.remarks)
        try:
            value = judged(name, entry, text, choices)
        except Wrong as wrong:
            findings.append(Finding(str(wrong), entry.line, name))
            left_out.add(name)
        else:
            if value is not None:
                values[name] = value
                if name in SECRETS and value != REMOVE:
                    places[name] = (entry.start, entry.end)
    hidden = [one for one in findings if one.text.startswith("#")]
    findings = [one for one in findings if one not in hidden or one.name not in values]
    return BootSettings(values, tuple(findings), places, frozenset(left_out), recognised)


def _name_of(entry: Entry) -> str | None:
    full = f"{entry.table}.{entry.name}" if entry.table else entry.name
    for name in (full, entry.name):
        # Behind [wifi] every line belongs to it; `key` is still the key of the service there.
        if name in NAMES:
            return name
        if name == "wifi.key" and LOOKS_LIKE_KEY.match(str(entry.value)):
            return "key"
        if name in _ALSO_CALLED:
            return _ALSO_CALLED[name]
    table = get_close_matches(entry.table, _TABLES, 1) if entry.table else []
    return f"{table[0]}.{entry.name}" if table and f"{table[0]}.{entry.name}" in NAMES else None


def _stray(stray: Stray) -> list[Finding]:
    known = [name for name in (stray.name, stray.name.rpartition(".")[2]) if name in NAMES or name in _ALSO_CALLED]
    if stray.kind == "comment":
        name = _ALSO_CALLED.get(known[0], known[0]) if known else ""
        text = "# stands before this line, so it does not count; remove the # if it should."
        return [Finding(text, stray.line, name, note=True)] if name else []
    if stray.kind == "table":
        if stray.name in _TABLES:
            return []
        near = get_close_matches(stray.name, _TABLES, 1)
        return [Finding("There is no such part here." + (f" Is it [{near[0]}]?" if near else ""), stray.line)]
    if stray.kind == "damage":
        return [
            Finding("This line is damaged. Write it again, or begin again with a fresh copy of the file.", stray.line)
        ]
    if known:
        return [Finding(f'write it with the sign = and quotation marks, as {known[0]} = "..."', stray.line, known[0])]
    return [Finding("This line sets nothing. Write NAME = VALUE, or put a # before it.", stray.line)]


def _unknown(entry: Entry) -> Finding:
    near = get_close_matches(entry.name.rpartition(".")[2], [*NAMES, *_ALSO_CALLED], 1, 0.6)
    if not near:
        return Finding(f"There is no setting of this name. There are: {', '.join(NAMES)}.", entry.line)
    name = _ALSO_CALLED.get(near[0], near[0])
    return Finding(f"There is no setting of this name. Is it {name.rpartition('.')[2]}?", entry.line)
