"""Requests and responses of the owner's page, and the gate through which every request comes.

The gate admits what names this unit (`Host` is the address that was connected to, or a name of this machine: a DNS name
that a stranger points here is none), and, where something is to be changed, what comes from a page of this unit
(`Origin` and `Sec-Fetch-Site`). Forms are small, and read within a time limit. Nothing is answered to other origins.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl

from companion.local_server import Receive, Scope, Send
from companion.owner.access import Session
from companion.owner.owner_file import Telephone

LARGEST_FORM = 16 * 1024
FORM_S = 8.0
MOST_FIELDS = 40
_LONGEST_PATH = 512
_LONGEST_COOKIES = 4096
_LONGEST_AGENT = 400

HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
     b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: browsers would then send `Origin: null` with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    # One request for each connection, so that a slow one holds nothing (`companion.owner.server`).
    (b"connection", b"close"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `cookies` are whole `Set-Cookie` values."""

    status: int
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    location: str = ""
    cookies: tuple[str, ...] = ()
    extra: tuple[tuple[bytes, bytes], ...] = ()


class NotAdmitted(Exception):
    """The gate is closed to this request."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@dataclass(slots=True)
class Request:
    """One request that has passed the gate."""

    method: str
    path: str
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    peer: str
    agent: str
    languages: str
    """The header Accept-Language."""
    form: Mapping[str, str] = field(default_factory=dict)
    telephone: Telephone | None = None
    session: Session | None = None
    visit: str = ""
    """A random word of this browser, until it is signed in."""


def admitted(scope: Scope, names: Sequence[str]) -> Request:
    """The request in an ASGI scope, without its form. Raises `NotAdmitted`."""
    headers = _headers_of(scope)
    address, port = scope["server"][0], scope["server"][1]
    hosts = {f"{name}:{port}" for name in (address, *names)}
    if address.startswith("127."):
        hosts.add(f"localhost:{port}")
    host = headers.get("host", "").casefold()
    if host not in hosts:
        raise NotAdmitted(421, "This address does not belong to this unit.")
    method = scope["method"]
    if method not in ("GET", "HEAD", "POST"):
        raise NotAdmitted(405, "This page is read, and its forms are sent; nothing else.")
    site = headers.get("sec-fetch-site", "none")
    if method == "POST":
        if headers.get("origin") != f"https://{host}" or site not in ("same-origin", "none"):
            raise NotAdmitted(403, "Only this unit's own page may change anything.")
        if headers.get("content-type", "").partition(";")[0].strip().casefold() != "application/x-www-form-urlencoded":
            raise NotAdmitted(415, "Only this unit's own forms are read.")
    elif "origin" in headers and headers["origin"] != f"https://{host}":
        raise NotAdmitted(403, "Only this unit's own page is answered.")
    elif site not in ("same-origin", "none") and headers.get("sec-fetch-mode") != "navigate":
        # A link from elsewhere may lead here, but no page may embed, frame or read anything of this one.
        raise NotAdmitted(403, "Only this unit's own page is answered.")
    elif headers.get("sec-fetch-dest") in ("iframe", "frame", "embed", "object"):
        raise NotAdmitted(403, "This page is not shown inside of others.")
    path = scope["path"]
    if len(path) > _LONGEST_PATH or len(scope["query_string"]) > _LONGEST_PATH:
        raise NotAdmitted(414, "There is nothing here.")
    return Request(
        method,
        path,
        _pairs(scope["query_string"]),
        _cookies_of(headers.get("cookie", "")),
        scope["client"][0],
        headers.get("user-agent", "")[:_LONGEST_AGENT],
        headers.get("accept-language", "")[:_LONGEST_AGENT],
    )


async def read_form(receive: Receive) -> dict[str, str]:
    """The fields of a form; of several with one name the last. Raises `NotAdmitted`."""
    body = b""
    try:
        async with asyncio.timeout(FORM_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise NotAdmitted(400, "The form came in part only.")
                body += message.get("body", b"")
                if len(body) > LARGEST_FORM:
                    raise NotAdmitted(413, "That is too much for this form.")
                if not message.get("more_body", False):
                    return _pairs(body)
    except TimeoutError as error:
        raise NotAdmitted(408, "The form came too slowly.") from error


def form_token(key: bytes, of: str) -> str:
    """What a form must carry that is sent by whoever has this secret: a page elsewhere cannot know it."""
    return hmac.new(key, of.encode("utf-8", "replace"), "sha256").hexdigest()


def is_token(key: bytes, of: str, given: str) -> bool:
    """Whether it does."""
    return hmac.compare_digest(form_token(key, of).encode(), given.encode("utf-8", "replace"))


def cookie(name: str, value: str, seconds: int | None = None) -> str:
    """A cookie that only this host gets, over TLS, from its own pages, and that no script reads."""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    return f"__Host-{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{age}"


async def send_response(send: Send, response: Response, *, head: bool = False) -> None:
    """Send it, with the headers of every response."""
    headers = [
        *HEADERS,
        (b"content-type", response.kind.encode()),
        (b"content-length", str(len(response.body)).encode()),
        *((b"set-cookie", one.encode()) for one in response.cookies),
        *response.extra,
    ]
    if response.location:
        headers.append((b"location", response.location.encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})


def _headers_of(scope: Scope) -> dict[str, str]:
    """By name. Raises `NotAdmitted` where one that counts is there twice: two readers could believe two values."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        if key in found and key in ("host", "origin", "content-type", "sec-fetch-site"):
            raise NotAdmitted(400, "This request is no browser's.")
        text = value.decode("latin-1")
        found[key] = f"{found[key]}; {text}" if key == "cookie" and key in found else text
    return found


def _pairs(data: bytes) -> dict[str, str]:
    """Raises `NotAdmitted`."""
    try:
        return dict(parse_qsl(data.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise NotAdmitted(400, "This form cannot be read.") from error


def _cookies_of(header: str) -> dict[str, str]:
    if len(header) > _LONGEST_COOKIES:
        return {}
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return {}
    return {name.removeprefix("__Host-"): one.value for name, one in jar.items() if name.startswith("__Host-")}
