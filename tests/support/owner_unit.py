"""The owner's page of a unit that is none: controls that keep what they were asked, and browsers over real TLS."""

from __future__ import annotations

import asyncio
import http.client
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from companion.errors import CompanionError
from companion.mind.memory.guard_records import GuardRecord
from companion.mind.memory.inspection import PersonMemory, PersonOverview, StoredFact
from companion.mind.memory.long_term import StoredExchange
from companion.owner.access import Access
from companion.owner.controls import Guarded, Limits, Overview, Person, PersonaChoice, Unit, WakeWord
from companion.owner.owner_file import OwnerFile
from companion.owner.owner_page import Opened, OwnerPage

AT = datetime(2026, 11, 28, 16, 30)
PIN = "blue-cup-7"


class FakeUnit:
    """Satisfies `controls.Controls`. `asked` is what it was asked to change."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.seen = Overview(
            status={
                "name": "momo", "persona": "Teddy", "state": "idle", "muted": False, "version": "0.1.0",
                "uptime_s": 12_345.0, "temperature_c": 48.2, "problems": [], "blocked_today": 2,
                "links": {"microphone": "well", "wake word": "well", "body": "well", "character": "well"},
                "last_turn": {"latency_ms": {"total": 1240.0}},
            },
            volume=60, switched_off=False, minutes_today=23.4, limits=Limits(60, "20:00-07:00", 20),
            decided=Limits(60, None, None),
            needs_consent=True, consent="2026-11-01 09:12, Mum", policy="child-eu", persona="Teddy",
        )  # fmt: skip
        self.memory: PersonMemory | None = PersonMemory(
            "Ana", 1, "Ana likes dinosaurs and is learning to swim.",
            (
                StoredFact(1, "like", "Ana likes dinosaurs.", 3, AT, None),
                StoredFact(2, "pet", "Ana has a cat called Miso.", 3, AT, None),
            ),
            (
                StoredExchange(3, "I have a cat, she is called Miso!", "Miso! What a lovely name for a cat.", "", AT),
                StoredExchange(4, "Can dinosaurs swim?", "Some of them could, I think.", "", AT),
            ),
            1.0,
        )  # fmt: skip
        blocked = [("violence", "answer"), ("frightening", "answer"), ("violence", "answer"), ("contact", "answer")]
        self.records = Guarded(
            tuple(GuardRecord(n, AT, "Teddy", "Ana", "blocked", kind, who, "")  # type: ignore[arg-type]
                  for n, (kind, who) in enumerate(blocked)),
            (GuardRecord(9, AT, "Teddy", "Ana", "notice", "self_harm", "person", ""),),
        )  # fmt: skip

    def spoil(self, text: str) -> None:
        """Put this wherever people, personas and models may have put words."""
        memory = self.memory
        assert memory is not None
        facts = tuple(replace(one, text=text) for one in memory.facts)
        said = tuple(replace(one, said=text, heard=text) for one in memory.exchanges)
        self.memory = replace(memory, person=text, summary=text, facts=facts, exchanges=said)
        status = {**self.seen.status, "problems": [text], "links": {text: text}}
        self.seen = replace(self.seen, persona=text, policy=text, consent=text, status=status)
        blocked = tuple(replace(one, person=text, words=text) for one in self.records.blocked)
        self.records = replace(self.records, blocked=blocked)

    async def overview(self) -> Overview:
        return self.seen

    async def press(self, button: str) -> None:
        if self.seen.switched_off and button == "unmute":
            raise CompanionError("The mute switch is closed: nobody but the switch itself opens the ears.")
        self.asked.append((button,))
        muted = {"mute": True, "unmute": False}.get(button, False)
        self.seen = replace(self.seen, status={**self.seen.status, "muted": muted})

    async def set_volume(self, percent: int) -> int:
        self.asked.append(("volume", percent))
        self.seen = replace(self.seen, volume=percent)
        return percent

    async def set_limits(self, limits: Limits) -> None:
        self.asked.append(("limits", limits))
        self.seen = replace(self.seen, decided=limits)

    async def persons(self) -> tuple[PersonOverview, ...]:
        one = self.memory
        if one is None:
            return ()
        return (
            PersonOverview("Teddy", one.person, len(one.exchanges), len(one.facts), len(one.summary), 1, AT),
            PersonOverview("Teddy", "", 3, 0, 0, 1, AT),
        )

    async def person(self, persona: str, name: str) -> Person | None:
        one = self.memory
        return Person(persona, one, asks=True, has_word=True) if one is not None and one.person == name else None

    async def correct(self, persona: str, number: int, text: str) -> None:
        self.asked.append(("correct", persona, number, text))

    async def forget_entry(self, persona: str, number: int) -> None:
        self.asked.append(("forget_entry", persona, number))

    async def forget_person(self, persona: str, name: str) -> None:
        self.asked.append(("forget", persona, name))
        self.memory = None

    async def export(self, persona: str, name: str) -> list[dict[str, Any]]:
        return [{"persona": persona, "person": name}]

    async def let_in(self, persona: str, name: str, hours: int | None) -> None:
        self.asked.append(("let_in", persona, name, hours))

    async def guarded(self) -> Guarded:
        return self.records

    async def clear_guarded(self) -> None:
        self.asked.append(("clear",))

    async def keep_words(self, keep: bool) -> None:
        self.asked.append(("keep_words", keep))

    async def personas(self) -> tuple[PersonaChoice, ...]:
        return (
            PersonaChoice("teddy", self.seen.persona, "child", True),
            PersonaChoice("lucero", "Lucero", "child", False),
        )

    async def change_persona(self, file: str) -> None:
        self.asked.append(("persona", file))

    async def wake_word(self) -> WakeWord:
        return WakeWord(("hey momo",), "learn my voice")

    async def set_consent(self, by: str) -> None:
        self.asked.append(("consent", by))

    async def factory_reset(self) -> None:
        self.asked.append(("reset",))


@dataclass
class Answer:
    """One response."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass
class Browser:
    """Keeps cookies and sends forms as a browser does. Blocks: call it on a thread."""

    port: int
    host: str = ""
    address: str = "127.0.0.1"
    agent: str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Safari/604.1"
    languages: str = "en-GB,en;q=0.9"
    cookies: dict[str, str] = field(default_factory=dict)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str | None] | None = None
    ) -> Answer:
        """One request, as it is."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(self.address, self.port, context=context, timeout=10)
        host = self.host or f"127.0.0.1:{self.port}"
        sent: dict[str, str | None] = {"Host": host, "User-Agent": self.agent, "Accept-Language": self.languages}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent |= headers or {}
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None and "Content-Length" not in sent:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            found = connection.getresponse()
            answer = Answer(found.status, found.getheaders(), found.read().decode())
        finally:
            connection.close()
        for key, value in answer.headers:
            if key.lower() == "set-cookie":
                name, _, rest = value.partition("=")
                self.cookies[name] = rest.partition(";")[0]
        return answer

    def get(self, path: str = "/", **headers: str) -> Answer:
        """Look at a page."""
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(
        self, path: str, token: str = "", headers: Mapping[str, str | None] | None = None, **fields: Any
    ) -> Answer:
        """Send a form of the page that this browser sees now."""
        token = token or token_of(self.get("/").text)
        body = urlencode({"token": token, **{key: str(value) for key, value in fields.items()}}).encode()
        usual: dict[str, str | None] = {
            "Origin": f"https://{self.host or f'127.0.0.1:{self.port}'}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.send("POST", path, body, {**usual, **(headers or {})})

    def follow(self, answer: Answer) -> Answer:
        """Where it leads."""
        assert answer.status == 303, (answer.status, answer.text)
        return self.get(answer.header("location"))


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert found is not None, page
    return found[1]


@dataclass
class Scene:
    """An open page."""

    unit: FakeUnit
    page: OwnerPage
    access: Access
    opened: Opened
    folder: Path
    now: list[float]
    """The clock of waits and sessions; tests move it."""
    closed: asyncio.Event
    """Set when it has closed by itself."""

    @property
    def port(self) -> int:
        port = urlsplit(self.opened.address).port
        assert port is not None
        return port

    def browser(self, **more: Any) -> Browser:
        return Browser(self.port, **more)

    def paired(self, **more: Any) -> Browser:
        """A browser that has just been paired with the code of now."""
        browser = self.browser(**more)
        assert browser.post("/pair", code=self.access.new_code().token).status == 303
        return browser

    def signed_in(self, **more: Any) -> Browser:
        """A browser behind the door."""
        browser = self.paired(**more)
        if self.access.has_pin:
            assert browser.post("/sign-in", pin=PIN).status == 303
        else:
            assert browser.post("/pin", pin=PIN, again=PIN).status == 303
        return browser


@asynccontextmanager
async def open_page(folder: Path, *, minutes: float = 15) -> AsyncIterator[Scene]:
    """A page on loopback, on a port of its own."""
    unit, now = FakeUnit(), [1000.0]
    access = Access(OwnerFile(folder), lambda: now[0], lambda: AT)
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()
    page = OwnerPage(
        folder, Unit(unit, loop), access, name="momo", language="en", port=0, minutes=minutes,
        on_closed=lambda: loop.call_soon_threadsafe(closed.set), addresses=lambda: ("127.0.0.1",),
    )  # fmt: skip
    opened = await asyncio.to_thread(page.open)
    try:
        yield Scene(unit, page, access, opened, folder, now, closed)
    finally:
        await asyncio.to_thread(page.close)
