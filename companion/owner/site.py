"""The owner's page as an ASGI application: who may see what, and where each form goes.

Whoever is not let in sees one of three doors: pairing, the first PIN, or the PIN. Everything else is behind them. It
runs on the loop of the page's server; the unit is asked through `controls.Unit`.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import resources

from companion.errors import CompanionError
from companion.languages.loader import language_codes
from companion.languages.owner import OwnerTexts, owner_texts
from companion.languages.understood import DEFAULT
from companion.local_server import Receive, Scope, Send
from companion.owner import views_access
from companion.owner.access import LONGEST_S, Access, Refused
from companion.owner.changes import Changes
from companion.owner.frame import Sight, span_of
from companion.owner.pages import Pages
from companion.owner.web import (
    NotAdmitted,
    Request,
    Response,
    admitted,
    cookie,
    form_token,
    is_token,
    read_form,
    send_response,
)

log = logging.getLogger("companion")

_FILES = {
    "/owner.css": ("owner.css", "text/css; charset=utf-8"),
    "/owner.js": ("owner.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_SECRET = re.compile(r"[\w-]{20,64}", re.ASCII)
_TELEPHONE_S = 400 * 86400
"""How long a telephone stays connected; browsers keep no cookie longer."""
_BROWSERS = ("Edg", "OPR", "Firefox", "FxiOS", "SamsungBrowser", "CriOS", "Chrome", "Safari")
_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux")


class Site:
    """See the head of this file."""

    def __init__(
        self,
        access: Access,
        pages: Pages,
        changes: Changes,
        *,
        name: str,
        names: Sequence[str],
        fallback: str,
        fingerprint: str,
        used: Callable[[], None],
    ) -> None:
        """`names` are hosts by which the unit is called beside its address, `fallback` is the language of whoever's
        browser asks for none that there is. `used` is called when somebody is let in."""
        self._access, self._pages, self._changes = access, pages, changes
        self._name, self._names, self._fallback, self._fingerprint = name, names, fallback, fingerprint
        self._used = used
        self._key = secrets.token_bytes(32)
        folder = resources.files("companion.owner") / "page_files"
        self._files = {path: ((folder / file).read_bytes(), kind) for path, (file, kind) in _FILES.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        head = scope["method"] == "HEAD"
        try:
            request = admitted(scope, self._names)
            if request.method == "POST":
                request.form = await read_form(receive)
            response = await self._response(request)
        except NotAdmitted as closed:
            response = Response(closed.status, f"{closed.sentence}\n".encode(), "text/plain; charset=utf-8")
        await send_response(send, response, head=head)

    async def _response(self, request: Request) -> Response:
        if request.method != "POST" and request.path in self._files:
            return Response(200, *self._files[request.path])
        self._recognise(request)
        own = request.cookies.get("session", "") if request.session is not None else request.visit
        sight = self._sight(request, own)
        try:
            if request.method != "POST":
                response = await self._read(request, sight)
            elif not is_token(self._key, own, request.form.get("token", "")):
                raise Refused("old_form")
            else:
                response = await self._change(request, sight)
        except Refused as refused:
            sight = self._sight(request, own, self._sentence(sight.texts, refused))
            response = Response(429 if refused.why == "wait" else 400, await self._door(request, sight))
        except (CompanionError, OSError) as error:
            # An OSError is the disk's: a change could not be put down.
            sentence = str(error)
            response = Response(409, views_access.told(self._sight(request, own), sight.texts.failed, sentence))
        if request.session is None and request.cookies.get("visit") != request.visit:
            response = _with_cookie(response, cookie("visit", request.visit))
        return response

    def _recognise(self, request: Request) -> None:
        """Fill in who asks."""
        if _SECRET.fullmatch(said := request.cookies.get("telephone", "")):
            request.telephone = self._access.telephone(said)
        if request.telephone is not None and _SECRET.fullmatch(said := request.cookies.get("session", "")):
            request.session = self._access.session(said, request.telephone, request.peer, request.agent)
        visit = request.cookies.get("visit", "")
        request.visit = visit if _SECRET.fullmatch(visit) else secrets.token_urlsafe(24)
        if request.session is not None:
            self._used()

    async def _read(self, request: Request, sight: Sight) -> Response:
        if request.session is None:
            return Response(200, await self._door(request, sight)) if request.path == "/" else _go("/")
        return await self._pages.page(request, sight)

    async def _change(self, request: Request, sight: Sight) -> Response:
        form, access = request.form, self._access
        if request.session is not None:
            action = self._changes.by_path.get(request.path)
            if action is None:
                raise NotAdmitted(404, "There is nothing here.")
            where, done = await action(request)
            if not where:
                return Response(200, views_access.over(replace(sight, part=""), reset=request.path == "/reset"))
            return _go(f"{where}{'&' if '?' in where else '?'}done={done}" if done else where)
        if request.path == "/pair" and request.telephone is None:
            secret = access.pair(form.get("code", ""), _name_of(request.agent))
            request.telephone = access.telephone(secret)
            self._changes.put_down(request, "paired")
            return _with_cookie(_go("/"), cookie("telephone", secret, _TELEPHONE_S))
        if request.path == "/pin" and request.telephone is not None and not access.has_pin:
            if form.get("pin", "") != form.get("again", ""):
                raise Refused("pin_differ")
            await access.choose_pin(form.get("pin", ""))
            self._changes.put_down(request, "pin")
            return self._signed_in(request)
        if request.path == "/sign-in" and request.telephone is not None and access.has_pin:
            try:
                await access.check_pin(request.telephone, form.get("pin", ""))
            except Refused as refused:
                if refused.why == "pin_wrong":
                    self._changes.put_down(request, "wrong_pin")
                raise
            return self._signed_in(request)
        # A session that is over, or a form of a door that is not this one's.
        return _go("/")

    def _signed_in(self, request: Request) -> Response:
        assert request.telephone is not None
        secret = self._access.begin_session(request.telephone, request.peer, request.agent)
        self._changes.put_down(request, "signed_in")
        self._used()
        return _with_cookie(_go("/"), cookie("session", secret, round(LONGEST_S)))

    async def _door(self, request: Request, sight: Sight) -> bytes:
        """What somebody sees who is not signed in, or whose form was refused."""
        if request.session is not None:
            return await self._pages.again(request, sight)
        if request.telephone is None:
            return views_access.pair(sight, self._fingerprint)
        if not self._access.has_pin:
            return views_access.choose_pin(sight)
        return views_access.sign_in(sight, self._fingerprint)

    def _sight(self, request: Request, own: str, refused: str = "") -> Sight:
        code, texts = _language_of(request.languages, self._fallback)
        return Sight(
            texts,
            code,
            self._name,
            form_token(self._key, own),
            part="access" if request.session is not None else "",
            done=request.query.get("done", "") if request.method != "POST" else "",
            refused=refused,
        )

    @staticmethod
    def _sentence(texts: OwnerTexts, refused: Refused) -> str:
        said = texts.refused[refused.why]
        if refused.why != "wait" and refused.seconds:
            said = f"{said} {texts.refused['wait']}"
        return said.replace("{time}", span_of(texts, refused.seconds))


def _language_of(wanted: str, fallback: str) -> tuple[str, OwnerTexts]:
    """The first language of the header `Accept-Language` in which there are words for the page."""
    asked = [one.partition(";")[0].strip().partition("-")[0].casefold() for one in wanted.split(",")[:20]]
    for code in (*asked, fallback, DEFAULT):
        if code in language_codes() and (texts := owner_texts(code)) is not None:
            return code, texts
    raise CompanionError("The words of the owner's page are missing; install the companion anew.")


def _name_of(agent: str) -> str:
    """What a telephone is called in the lists: `Safari, iPhone`."""
    found = (next((one for one in names if one in agent), "") for names in (_BROWSERS, _SYSTEMS))
    return ", ".join(one for one in found if one) or "?"


def _go(where: str) -> Response:
    return Response(303, location=where)


def _with_cookie(response: Response, value: str) -> Response:
    return Response(
        response.status, response.body, response.kind, response.location, (*response.cookies, value), response.extra
    )
