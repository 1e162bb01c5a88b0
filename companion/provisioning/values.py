"""Validation of the installer's settings: each value by itself, brought into its canonical form.

Pure. No message shows a secret, its length, or a word that may be one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from companion.config.wake import WAKE_WORDS, WORD_FILE
from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.provisioning.lines import Assignment, Value

SECRETS = ("key", "neighbours", "wifi.password", "wifi2.password", "fleet.salt")
OWNERS = (
    "key",
    "neighbours",
    "person",
    *(f"{wifi}.{part}" for wifi in ("wifi", "wifi2") for part in ("ssid", "password")),
)
"""What belongs to the owner of a unit, and is blanked when it is reset."""
REMOVE = "remove"
"""Written in place of a key or a Wi-Fi name to delete the stored one."""
OPEN = "open"
"""Written in place of a Wi-Fi password for a network that has none. Too short to be one."""

NAMES = (
    *("persona", "device", "name", "language", "volume", "person", "key", "region", "neighbours"),
    *("timezone", "hostname", "wake_word", "quiet_hours", "memory", "owner_page", "spending.daily", "spending.monthly"),
    *("wifi.ssid", "wifi.password", "wifi.country", "wifi.hidden", "wifi2.ssid", "wifi2.password", "wifi2.hidden"),
    *("log.transcripts", "fleet.salt"),
)
QUIET_VOLUME = 40
"""In percent; counts where the file says something that is no volume."""
_REGIONS = {
    **dict.fromkeys(("international", "singapore", "intl", "sg", "world"), "international"),
    **dict.fromkeys(("china", "beijing", "cn", "中国", "mainland"), "china"),
}
LOOKS_LIKE_KEY = re.compile(r"(?<!vo)sk-[\w-]{6,}", re.IGNORECASE)
"""Not the `vosk-model-...` of the catalogue."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The personas and devices that the installer can choose from."""

    personas: Mapping[str, str]
    """Built-in personas and their languages, preferred ones first."""
    devices: Sequence[str]
    card_files: Sequence[str]
    """Names of the persona files on the card."""
    timezones: Sequence[str] = ()
    """All that the system knows."""
    countries: Sequence[str] = ()
    """The two letters of each; empty where they are not known."""
    word_files: Sequence[str] = ()
    """Names of the wake words' files on the card."""


class InvalidValue(Exception):
    """The value cannot be used. The message is the rest of a sentence that begins with the setting's name."""


def validate(name: str, entry: Assignment, text: str, choices: Choices) -> str | int | float | bool | None:
    """The value in its canonical form; None where none was given. Raises `InvalidValue`."""
    if entry.problem:
        raise InvalidValue(f"{entry.problem}. It was left out.")
    value = entry.value
    if value is None or (isinstance(value, str) and not value.strip() and not name.endswith(".password")):
        return None
    if value == "":
        return None
    if name == "volume":
        return _volume(value)
    if name.startswith("spending."):
        return _amount(value)
    if name == "memory" and isinstance(value, bool):
        # `off` and `on` without quotation marks.
        return "local" if value else "off"
    if name in ("log.transcripts", "owner_page", "wifi.hidden", "wifi2.hidden"):
        if isinstance(value, bool):
            return value
        raise InvalidValue("write true or false, without quotation marks. It was left out.")
    if not isinstance(value, str):
        # Digits without quotation marks are a password or a name: keep them as written, with leading zeros.
        value = text[entry.start : entry.end]
    if name not in SECRETS and LOOKS_LIKE_KEY.search(value):
        raise InvalidValue("looks like the key of the service. Write that behind key = and something else here.")
    if any(not one.isprintable() for one in value):
        raise InvalidValue("has an invisible character in it; type it again. It was left out.")
    return _CHECKS[name](value, choices)


def is_valid(name: str, value: object) -> bool:
    """Whether a value that was stored earlier, in its canonical form, would be accepted today."""
    if not isinstance(value, str) or not value or any(not one.isprintable() for one in value):
        return False
    try:
        return value not in (REMOVE, OPEN) and _CHECKS[name](value, Choices({}, (), ())) == value
    except InvalidValue:
        return False


def _volume(value: Value) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,3}\s*%?\s*", value):
        value = int(value.strip().rstrip("% "))
    if isinstance(value, float) and 0 < value < 1:
        value = round(value * 100)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise InvalidValue(f"write a number from 0 to 100, for example volume = 80. Until then it is {QUIET_VOLUME}.")
    return round(value)


def _amount(value: Value) -> float:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,6}([.,]\d{1,2})?\s*", value):
        value = float(value.replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1_000_000:
        raise InvalidValue("write an amount above 0, for example 1.50. It was left out, so there is no such limit.")
    return float(value)


def _persona(value: str, choices: Choices) -> str:
    wanted = re.split(r"[/\\]", value.strip())[-1].removesuffix(".toml")
    for file in choices.card_files:
        if file.lower() == f"{wanted}.toml".lower():
            return file
    return _choose(wanted, list(choices.personas), "persona", "or the name of a persona file beside this one")


def _device(value: str, choices: Choices) -> str:
    return _choose(value.strip().removesuffix(".toml"), choices.devices, "device", "")


def _choose(value: str, known: Sequence[str], what: str, also: str) -> str:
    plain = re.sub(r"[\s-]+", "_", value).lower()
    if plain in known:
        return plain
    near = get_close_matches(plain, known, 1)
    there = ", ".join(known) + (f", {also}" if also else "")
    raise InvalidValue(
        f"There is no such {what} here.{f' Is it {near[0]}?' if near else ''} Choose one of these: {there}."
    )


def _language(value: str, choices: Choices) -> str:
    plain = re.sub(r"[\s-]+", "_", value.strip()).lower()
    chosen = _language_named(plain) or plain.split("_")[0]
    known = list(dict.fromkeys(choices.personas.values()))
    if chosen in known:
        return chosen
    near = [one for one in known if plain.startswith(one)]
    raise InvalidValue(
        f"No persona on this unit speaks that language.{f' Is it {near[0]}?' if near else ''} "
        f"Choose one of these: {', '.join(known)}."
    )


def _language_named(plain: str) -> str | None:
    """The code of the language with that name, in any of the ways people write it."""
    return next((code for code in language_codes() if plain in language(code).general.also_called), None)


def _region(value: str, _: Choices) -> str:
    plain = value.strip().lower()
    near = _REGIONS.get(plain) or next((_REGIONS[one] for one in get_close_matches(plain, _REGIONS, 1)), None)
    if near is None or (plain not in _REGIONS and plain[:3] != near[:3]):
        raise InvalidValue(
            "write international (a key from Singapore) or china (a key from Beijing). Until then it is international."
        )
    return near


def _timezone(value: str, choices: Choices) -> str:
    plain = re.sub(r"\s+", "_", value.strip()).lower()
    zones = {one.lower(): one for one in choices.timezones}
    # A city alone will do where there is one of this name; Etc/GMT+1 is not what people mean by GMT+1.
    cities: dict[str, list[str]] = {}
    for low, one in zones.items():
        if "/" in low and not low.startswith("etc/"):
            cities.setdefault(low.rpartition("/")[2], []).append(one)
    if plain in zones:
        return zones[plain]
    if len(found := cities.get(plain, [])) == 1:
        return found[0]
    # A near miss only: UTC+8 is not UTC, and Beijing is not Berlin.
    near = get_close_matches(plain, [*zones, *cities], 1, 0.85)
    hint = f" Is it {(cities.get(near[0]) or [zones[near[0]]])[0]}?" if near else ""
    raise InvalidValue(f"there is no such time zone.{hint} Write a continent and a city, as Europe/Berlin.")


def _hostname(value: str, _: Choices) -> str:
    plain = value.strip().lower()
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", plain) or plain.isdigit():
        raise InvalidValue("may have letters from a to z, digits and - only, for example bear-7. It was left out.")
    return plain


def _wake_word(value: str, choices: Choices) -> str:
    wanted = value.strip()
    if wanted in choices.word_files:
        return wanted
    if wanted.endswith(WORD_FILE):
        raise InvalidValue(f"There is no file {wanted} beside this one; put it there, or choose another wake word.")
    return _choose(wanted, WAKE_WORDS, "wake word", f"or the name of a {WORD_FILE} file beside this one")


def _memory(value: str, _: Choices) -> str:
    plain = value.strip().lower()
    if plain not in ("local", "off"):
        raise InvalidValue("write local (it remembers, on the unit) or off (it forgets everything). It was left out.")
    return plain


def _quiet_hours(value: str, _: Choices) -> str:
    """`20:00-07:00`, or `none`."""
    plain = unicodedata.normalize("NFKC", value).strip().lower()
    if plain in ("none", "off", "never"):
        return "none"
    if found := re.fullmatch(rf"{_HOUR}\s*(?:-|–|—|to|until)\s*{_HOUR}", plain):
        times = [_hour(*found.groups()[at : at + 3]) for at in (0, 3)]
        if all(times) and times[0] != times[1]:
            return "-".join(one for one in times if one)
    raise InvalidValue('write it as "20:00-07:00", or "none". It was left out.')


_HOUR = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|uhr|h)?"


def _hour(hour: str, minute: str | None, half: str | None) -> str | None:
    number, minutes = int(hour), int(minute or 0)
    if half and half[0] in "ap":
        if not 1 <= number <= 12:
            return None
        number = number % 12 + (12 if half[0] == "p" else 0)
    return f"{number:02d}:{minutes:02d}" if number < 24 and minutes < 60 else None


def _key(value: str, _: Choices) -> str:
    key = value.strip()
    if key.lower() == REMOVE:
        return REMOVE
    if re.search(r"\.\.\.|…|[<>]|x{4,}|your", key, re.IGNORECASE):
        raise InvalidValue("still holds the example. Put the key of the service there.")
    if key[:1] in "\"'" or "://" in key or re.match(r"[A-Z_]+=", key):
        raise InvalidValue("has more than the key in it. Put the key alone there, without its name or an address.")
    if not re.fullmatch(r"[!-~]{8,512}", key):
        raise InvalidValue(
            "is no key: a key is one long word. Copy it once more from the service's page. It was left out."
        )
    return key


def _neighbours(value: str, _: Choices) -> str:
    secret = value.strip()
    if secret.lower() == REMOVE:
        return REMOVE
    if LOOKS_LIKE_KEY.search(secret):
        raise InvalidValue("looks like the key of the service. Make up another secret. It was left out.")
    if not re.fullmatch(r"[!-~]{16,512}", secret):
        raise InvalidValue("must be one word of 16 characters or more, the same on every card. It was left out.")
    return secret


def _ssid(value: str, _: Choices) -> str:
    if value.strip().lower() == REMOVE:
        return REMOVE
    if len(value.encode("utf-8", "replace")) > 32:
        raise InvalidValue("is too long for the name of a Wi-Fi. Write it as your phone shows it.")
    return value


def _wifi_password(value: str, _: Choices) -> str:
    if value.strip().lower() in (OPEN, "none"):
        return OPEN
    if re.fullmatch(r"[0-9A-Fa-f]{64}", value) or 8 <= len(value.encode("utf-8", "replace")) <= 63:
        return value
    raise InvalidValue("cannot be right: a Wi-Fi password has 8 to 63 characters. It was left out.")


def _country(value: str, choices: Choices) -> str:
    plain = {"UK": "GB"}.get(value.strip().upper(), value.strip().upper())
    if not re.fullmatch(r"[A-Z]{2}", plain) or (choices.countries and plain not in choices.countries):
        raise InvalidValue("write the two letters of the country, for example DE, US, GB or CN. It was left out.")
    return plain


def _salt(value: str, _: Choices) -> str:
    if not 8 <= len(value) <= 200:
        raise InvalidValue("must have 8 to 200 characters. It was left out.")
    return value


def _short_text(value: str, _: Choices) -> str:
    plain = value.strip()
    if len(plain) > 60:
        raise InvalidValue("is too long: 60 characters at most. It was left out.")
    return plain


_CHECKS: Mapping[str, Callable[[str, Choices], str]] = {
    "persona": _persona,
    "device": _device,
    "name": _short_text,
    "language": _language,
    "person": _short_text,
    "key": _key,
    "neighbours": _neighbours,
    "region": _region,
    "timezone": _timezone,
    "hostname": _hostname,
    "wake_word": _wake_word,
    "quiet_hours": _quiet_hours,
    "memory": _memory,
    "wifi.ssid": _ssid,
    "wifi.password": _wifi_password,
    "wifi2.ssid": _ssid,
    "wifi2.password": _wifi_password,
    "wifi.country": _country,
    "fleet.salt": _salt,
}
