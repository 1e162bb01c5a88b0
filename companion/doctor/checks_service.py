"""Station test: the running companion, and the character service with the unit's key.

The key is shown nowhere, and sent only where the unit itself would send it, or (where the service refuses it) to the
other region of the same maker's, to tell a wrong key from a wrong region. The list of models is asked for, which costs
nothing. The standard library does the HTTP, with the certificates that httpx trusts.
"""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.error
import urllib.request
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import certifi

from companion import __version__
from companion.config.character import CharacterSettings
from companion.doctor.examination import blocking
from companion.doctor.report import Finding, failed, passed, skipped
from companion.doctor.station import STOP_IT, Station, Surroundings
from companion.errors import CharacterError, ConfigError
from companion.mind.api import models
from companion.mind.api.errors import explain_refusal
from companion.mind.api.key import CREDENTIAL, VARIABLE, Key, find_key
from companion.mind.api.models import Region
from companion.mind.api.parser import parse_refusal
from companion.mind.assembly import is_own_host

ANSWERS_WITHIN_S = 4.0
SERVICE_KEY = Path("/etc/companion") / CREDENTIAL
"""Where systemd takes the service's key from."""

_PLACES: dict[Region, str] = {"international": "Singapore", "china": "Beijing"}
_LONGEST = 1_000_000
NETWORK = "Check the network (cable, Wi-Fi name and password, router), then the clock; behind a proxy set HTTPS_PROXY."


async def daemon(around: Surroundings) -> Finding:
    """How the running companion is, if one runs."""
    if around.daemon_trouble:
        return failed(around.daemon_trouble, STOP_IT)
    status = around.daemon
    if status is None:
        return skipped("no companion is running; this test uses the devices itself")
    problems = [str(one) for one in status.get("problems") or ()]
    text = f"companion {status.get('version', '?')} is running, {status.get('state', '?')}"
    if problems:
        return failed(
            "\n".join([text, *problems]), "See: journalctl -u companion; then sudo systemctl restart companion"
        )
    return passed(f"{text}; it is muted while this test listens", state=str(status.get("state", "")))


async def character(station: Station) -> Finding:
    """Whether the character service can be reached and lets the unit's key in."""
    settings = station.device.character
    if settings.emulator == "always":
        return skipped("the device file wants the local stand-in")
    key = unit_key(settings)
    address = models_address(settings, settings.region)
    own = is_own_host(address)
    if key is None and own:
        where = f"set {VARIABLE}, a systemd credential called {CREDENTIAL}, or character.key_file"
        if settings.emulator == "never":
            return failed("this unit has no key", f"Give it one: {where}.")
        return skipped(f"no key is here, so the local stand-in answers; {where}")
    host = urlsplit(address).hostname or ""
    place = f"region {settings.region} ({_PLACES[settings.region]})" if own else host
    facts: dict[str, str | int | bool] = {"host": host, "region": settings.region, "model": settings.model}
    began = time.monotonic()
    try:
        status, body = await blocking(partial(get, address, key))
    except CharacterError as error:
        return failed(f"{place}: {error}", NETWORK, **facts)
    facts |= {"status": status, "ms": round(1000 * (time.monotonic() - began))}
    if status != 200:
        refusal = explain_refusal(parse_refusal(status, body), f"The character service at {host}")
        if refusal.kind == "key" and settings.base_url is None and await _other_region_takes(settings, key):
            other = _other(settings.region)
            return failed(
                f"{place}: the key is refused, but region {other} takes it",
                f'Set character.region = "{other}" in the device file.',
                **facts,
            )
        return failed(
            f"{place}: {refusal.log}", "Correct what the sentence names, in the device file or the account.", **facts
        )
    names = model_names(body)
    if names is None:
        return failed(
            f"{place}: something else than the service answers",
            "A network that wants a sign-in (hotel, guest Wi-Fi) cannot be used; otherwise check character.base_url.",
            **facts,
        )
    lists = settings.model in names
    note = "" if lists or not names else f"; its list does not name {settings.model}"
    has_key = "takes the key" if key is not None else "answers"
    return passed(f"{place} {has_key}, after {facts['ms']} ms{note}", lists_model=lists, **facts)


def unit_key(settings: CharacterSettings) -> Key | None:
    """The key that the unit will use: that of this process, else the one that systemd gives to the service.

    Raises `ConfigError` for one that cannot be right, or that this user may not read.
    """
    key = find_key(settings)
    if key is not None:
        return key
    try:
        there = SERVICE_KEY.exists()
    except PermissionError as error:
        raise ConfigError(f"{SERVICE_KEY}: may not be read by this user; run this with sudo") from error
    if there and not os.access(SERVICE_KEY, os.R_OK):
        raise ConfigError(f"{SERVICE_KEY}: may not be read by this user; run this with sudo")
    return find_key(settings.model_copy(update={"key_file": SERVICE_KEY})) if there else None


def models_address(settings: CharacterSettings, region: Region) -> str:
    """Where the list of models is asked for: the OpenAI-compatible route has one, in both regions."""
    base = settings.base_url or models.base_url(region, "openai")
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path.rstrip('/')}/models").geturl()


def model_names(body: bytes) -> tuple[str, ...] | None:
    """The models that a list names; None for what is no list of models."""
    try:
        return tuple(str(one["id"]) for one in json.loads(body)["data"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def get(address: str, key: Key | None) -> tuple[int, bytes]:
    """Status and body of an answer, whatever it is. Redirects are not followed: the key goes nowhere else. Blocks.

    Raises `CharacterError` where no answer comes.
    """
    host = urlsplit(address).hostname or address
    headers = {"Accept": "application/json", "User-Agent": f"companion/{__version__}"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key.reveal()}"
    opener = urllib.request.OpenerDirector()
    # As for the conversation itself: a proxy of the environment for https only.
    proxies: dict[str, str] | None = None if address.startswith("https:") else {}
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(urllib.request.Request(address, headers=headers), timeout=ANSWERS_WITHIN_S) as response:
            return int(response.status), response.read(_LONGEST)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(_LONGEST)
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise CharacterError(_why(host, reason)) from error


def _why(host: str, reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return f"{host} does not answer within {ANSWERS_WITHIN_S:.0f} s."
    if isinstance(reason, ssl.SSLError):
        return f"{host} has no certificate that can be trusted: check this device's clock and the network."
    if isinstance(reason, HTTPException | ConnectionResetError):
        return f"The connection to {host} broke."
    return f"{host} cannot be reached ({getattr(reason, 'strerror', None) or type(reason).__name__})."


def _other(region: Region) -> Region:
    return "china" if region == "international" else "international"


async def _other_region_takes(settings: CharacterSettings, key: Key | None) -> bool:
    try:
        status, _ = await blocking(partial(get, models_address(settings, _other(settings.region)), key))
    except CharacterError:
        return False
    return status == 200
