"""Station test: the running companion, and the character service with the unit's key.

The key is never shown. It is sent only where the unit itself would send it, or, when the service refuses it, to the
same provider's other region, to tell a wrong key from a wrong region. The request is for the list of models, which
costs nothing. HTTP is done by the standard library, with the certificates that httpx trusts.
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
from companion.child_environment import KEY_VARIABLE
from companion.config.character import KEY_EXPOSED, CharacterSettings, exposes_key
from companion.doctor.check import STOP_DAEMON_ADVICE, CheckContext, UnitUnderTest, run_in_thread
from companion.doctor.report import CheckResult, failed, passed, skipped
from companion.errors import CharacterError, ConfigError
from companion.mind.api import models
from companion.mind.api.errors import explain_refusal
from companion.mind.api.key import CREDENTIAL, Key, find_key
from companion.mind.api.models import Region, is_own_host
from companion.mind.api.parser import parse_refusal

ANSWERS_WITHIN_S = 4.0
SERVICE_KEY = Path("/etc/companion") / CREDENTIAL
"""Where the systemd service reads its key from."""

_PLACES: dict[Region, str] = {"international": "Singapore", "china": "Beijing"}
_LONGEST = 1_000_000
NETWORK_ADVICE = (
    "Check the network (cable, Wi-Fi name and password, router), then the clock; behind a proxy set HTTPS_PROXY."
)


async def check_daemon(context: CheckContext) -> CheckResult:
    """The status of the running companion, if there is one."""
    if context.daemon_error:
        return failed(context.daemon_error, STOP_DAEMON_ADVICE)
    status = context.daemon
    if status is None:
        return skipped("no companion is running; this test uses the devices itself")
    problems = [str(one) for one in status.get("problems") or ()]
    text = f"companion {status.get('version', '?')} is running, {status.get('state', '?')}"
    if problems:
        return failed(
            "\n".join([text, *problems]), "See: journalctl -u companion; then sudo systemctl restart companion"
        )
    return passed(f"{text}; it is muted while this test listens", state=str(status.get("state", "")))


async def check_character(unit: UnitUnderTest) -> CheckResult:
    """Whether the character service can be reached and accepts the unit's key."""
    return await ask_service(unit.device.character)


async def ask_service(settings: CharacterSettings) -> CheckResult:
    """The same for these settings alone. `measured` has `status` where the service answered. Raises `ConfigError`."""
    if settings.emulator == "always":
        return skipped("the device file wants the local stand-in")
    key = unit_key(settings)
    address = models_address(settings, settings.region)
    own = is_own_host(address)
    if key is None and own:
        where = f"set {KEY_VARIABLE}, a systemd credential called {CREDENTIAL}, or character.key_file"
        advice = f"Give it one: {where}."
        if settings.emulator == "auto":
            advice += ' A unit that is meant to practise has character.emulator = "always" in its device file.'
        return failed("This unit has no key.", advice)
    host = urlsplit(address).hostname or ""
    if key is not None and exposes_key(address):
        return failed(f"{host}: this address {KEY_EXPOSED}", "Change character.base_url in the device file.")
    place = f"region {settings.region} ({_PLACES[settings.region]})" if own else host
    facts: dict[str, str | int | bool] = {"host": host, "region": settings.region, "model": settings.model}
    began = time.monotonic()
    try:
        status, body = await run_in_thread(partial(get, address, key, settings.ca_file))
    except CharacterError as error:
        return failed(f"{place}: {error}", NETWORK_ADVICE, **facts)
    facts |= {"status": status, "ms": round(1000 * (time.monotonic() - began))}
    if status != 200:
        refused = parse_refusal(status, body)
        if key is not None:
            refused = refused.redacted(key.redact)
        refusal = explain_refusal(refused, f"The character service at {host}")
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
    """The key that the unit will use: this process's, else the one that systemd passes to the service.

    Raises `ConfigError` where it is malformed or this user may not read it.
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
    """The URL of the list of models, which the OpenAI-compatible route has in both regions."""
    base = settings.base_url or models.base_url(region, "openai")
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path.rstrip('/')}/models").geturl()


def model_names(body: bytes) -> tuple[str, ...] | None:
    """The names in a list of models; None where the body is no such list."""
    try:
        return tuple(str(one["id"]) for one in json.loads(body)["data"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def get(address: str, key: Key | None, ca_file: Path | None = None) -> tuple[int, bytes]:
    """Status and body of the response to a GET. Blocks. Redirects are not followed, so that the key goes nowhere else.

    Raises `CharacterError` where no response comes.
    """
    host = urlsplit(address).hostname or address
    headers = {"Accept": "application/json", "User-Agent": f"companion/{__version__}"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key.reveal()}"
    opener = urllib.request.OpenerDirector()
    # As in the conversation itself: the environment's proxy is not used for this machine.
    proxies: dict[str, str] | None = {} if host in ("localhost", "127.0.0.1", "::1") else None
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise CharacterError(f"character.ca_file: {ca_file} cannot be used: {error.strerror or error}") from error
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
        status, _ = await run_in_thread(partial(get, models_address(settings, _other(settings.region)), key))
    except CharacterError:
        return False
    return status == 200
