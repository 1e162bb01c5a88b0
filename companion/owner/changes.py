"""What is done when somebody who is signed in sends a form of the owner's page. Each change is put down in the log."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from companion.owner.access import Access, Refused
from companion.owner.change_log import ChangeLog
from companion.owner.controls import Limits, Unit
from companion.owner.views import NO_LIMIT
from companion.owner.web import Request

Done = tuple[str, str]
"""Where to go on, and a key of what has been done (`texts.done`), which may be empty."""

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_MOST_TEXT = 2000


class Changes:
    """The actions by their paths."""

    def __init__(self, unit: Unit, access: Access, log: ChangeLog, close: Callable[[], None]) -> None:
        """`close` closes the page soon."""
        self._unit, self._access, self._log, self._close = unit, access, log, close
        self.by_path: Mapping[str, Callable[[Request], Awaitable[Done]]] = {
            "/mute": lambda request: self._press(request, "mute", "muted"),
            "/unmute": lambda request: self._press(request, "unmute", "unmuted"),
            "/stop": lambda request: self._press(request, "stop", "stopped"),
            "/volume": self._volume,
            "/limits": self._limits,
            "/correct": self._correct,
            "/forget-entry": self._forget_entry,
            "/forget": self._forget,
            "/let-in": self._let_in,
            "/clear": self._clear,
            "/keep-words": self._keep_words,
            "/consent": self._consent,
            "/persona": self._persona,
            "/sign-out": self._sign_out,
            "/end": self._end,
            "/end-all": self._end_all,
            "/disconnect": self._disconnect,
            "/change-pin": self._change_pin,
            "/close": self._close_page,
            "/reset": self._reset,
        }

    def put_down(self, request: Request, what: str, detail: str = "") -> None:
        """Put a change down in the log."""
        self._log.add(what, request.telephone.name if request.telephone is not None else "", detail)

    async def _press(self, request: Request, button: str, done: str) -> Done:
        await self._unit.ask(lambda controls: controls.press(button))
        self.put_down(request, done)
        return "/", done

    async def _volume(self, request: Request) -> Done:
        percent = _number(request, "percent", 0, 100)
        now = await self._unit.ask(lambda controls: controls.set_volume(percent))
        self.put_down(request, "volume", f"{now} %")
        return "/", "volume"

    async def _limits(self, request: Request) -> Done:
        begin, end = (request.form.get(name, "").strip()[:5] for name in ("bedtime_from", "bedtime_until"))
        if request.form.get("no_bedtime") == "yes":
            bedtime: str | None = ""
        elif not begin and not end:
            bedtime = None
        elif _TIME.fullmatch(begin) and _TIME.fullmatch(end) and begin != end:
            bedtime = f"{begin}-{end}"
        else:
            raise Refused("no_value")
        most, pause = _minutes(request, "minutes_a_day", 0), _minutes(request, "break_after", 1)
        await self._unit.ask(lambda controls: controls.set_limits(Limits(most, bedtime, pause)))
        told = (most, pause, bedtime)
        self.put_down(request, "limits", " / ".join("-" if one is None or one == "" else str(one) for one in told))
        return "/time", "limits"

    async def _correct(self, request: Request) -> Done:
        number, text = _number(request, "number", 0, 2**62), request.form.get("text", "").strip()
        if not text or len(text) > _MOST_TEXT:
            raise Refused("no_value")
        persona, person = _whom(request)
        await self._unit.ask(lambda controls: controls.correct(persona, number, " ".join(text.split())))
        self.put_down(request, "corrected")
        return person_address(persona, person), "corrected"

    async def _forget_entry(self, request: Request) -> Done:
        number = _number(request, "number", 0, 2**62)
        persona, person = _whom(request)
        await self._unit.ask(lambda controls: controls.forget_entry(persona, number))
        self.put_down(request, "forgotten")
        return person_address(persona, person), "forgotten"

    async def _forget(self, request: Request) -> Done:
        await self._check_pin(request)
        persona, person = _whom(request)
        await self._unit.ask(lambda controls: controls.forget_person(persona, person))
        self.put_down(request, "forgotten")
        return "/memory", "forgotten"

    async def _let_in(self, request: Request) -> Done:
        hours = _number(request, "hours", 1, 24 * 366) if request.form.get("hours", "") else None
        persona, person = _whom(request)
        await self._unit.ask(lambda controls: controls.let_in(persona, person, hours))
        done = "shut_out" if hours is None else "let_in"
        self.put_down(request, done)
        return person_address(persona, person), done

    async def _clear(self, request: Request) -> Done:
        await self._unit.ask(lambda controls: controls.clear_guarded())
        self.put_down(request, "cleared")
        return "/protection", "cleared"

    async def _keep_words(self, request: Request) -> Done:
        keep = request.form.get("keep") == "yes"
        await self._unit.ask(lambda controls: controls.keep_words(keep))
        self.put_down(request, "keep_words", "+" if keep else "-")
        return "/protection", "keep_words"

    async def _consent(self, request: Request) -> Done:
        by = " ".join(request.form.get("by", "").split())[:100]
        given = request.form.get("given") == "yes"
        if given and not by:
            raise Refused("no_value")
        await self._unit.ask(lambda controls: controls.set_consent(by if given else ""))
        done = "consent" if given else "consent_taken"
        self.put_down(request, done)
        return "/protection", done

    async def _persona(self, request: Request) -> Done:
        file = request.form.get("persona", "")
        choices = await self._unit.ask(lambda controls: controls.personas())
        chosen = next((one for one in choices if one.file == file), None)
        if chosen is None:
            raise Refused("no_value")
        await self._unit.ask(lambda controls: controls.change_persona(file))
        self.put_down(request, "persona", chosen.name)
        return "/character", "persona"

    async def _sign_out(self, request: Request) -> Done:
        if request.session is not None:
            self._access.end(request.session.id)
        self.put_down(request, "signed_out")
        return "/", ""

    async def _end(self, request: Request) -> Done:
        self._access.end(request.form.get("session", ""))
        self.put_down(request, "signed_out")
        return "/access", "signed_out"

    async def _end_all(self, request: Request) -> Done:
        self._access.end_all(but=request.session)
        self.put_down(request, "signed_out")
        return "/access", "signed_out"

    async def _disconnect(self, request: Request) -> Done:
        self._access.forget_telephone(request.form.get("telephone", ""))
        self.put_down(request, "disconnected")
        return "/access", "disconnected"

    async def _change_pin(self, request: Request) -> Done:
        if request.form.get("new", "") != request.form.get("again", ""):
            raise Refused("pin_differ")
        await self._check_pin(request)
        await self._access.choose_pin(request.form.get("new", ""))
        self._access.end_all(but=request.session)
        self.put_down(request, "pin")
        return "/access", "pin"

    async def _close_page(self, request: Request) -> Done:
        self.put_down(request, "closed")
        self._close()
        return "", ""

    async def _reset(self, request: Request) -> Done:
        await self._check_pin(request)
        await self._unit.ask(lambda controls: controls.factory_reset())
        return "", ""

    async def _check_pin(self, request: Request) -> None:
        """Raises `Refused`."""
        assert request.telephone is not None
        try:
            await self._access.check_pin(request.telephone, request.form.get("pin", ""))
        except Refused as refused:
            if refused.why == "pin_wrong":
                self.put_down(request, "wrong_pin")
            raise


def _number(request: Request, name: str, least: int, most: int) -> int:
    """Raises `Refused`."""
    text = request.form.get(name, "").strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 19 or not least <= int(text) <= most:
        raise Refused("no_value")
    return int(text)


def _minutes(request: Request, name: str, least: int) -> int | None:
    """None where the field is empty. Raises `Refused`."""
    return _number(request, name, least, NO_LIMIT) if request.form.get(name, "").strip() else None


def _whom(request: Request) -> tuple[str, str]:
    return request.form.get("persona", "")[:200], request.form.get("person", "")[:200]


def person_address(persona: str, person: str) -> str:
    """Where a person's page is."""
    return f"/person?{urlencode({'persona': persona, 'person': person})}"
