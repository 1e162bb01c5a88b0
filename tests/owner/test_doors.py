"""The owner's page as a stranger, a curious child and a page in another tab would attack it: over real TLS."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from companion.owner.access import IDLE_S, LONGEST_S, MOST_GUESSES, Access
from companion.owner.owner_file import OwnerFile
from companion.owner.server import MOST_OF_ONE
from companion.owner.web import LARGEST_FORM
from tests.support.owner_unit import AT, PIN, Browser, Scene, open_page, token_of

ANA = "persona=Teddy&person=Ana"
SIGNED_IN_ONLY = ("/time", "/memory", f"/person?{ANA}", "/protection", "/character", "/health", "/access", "/reset",
                  f"/export?{ANA}", f"/forget?{ANA}")  # fmt: skip
ACTIONS = ("/mute", "/unmute", "/stop", "/volume", "/limits", "/correct", "/forget-entry", "/forget", "/let-in",
           "/clear", "/keep-words", "/consent", "/persona", "/end", "/end-all", "/disconnect", "/change-pin", "/close",
           "/reset")  # fmt: skip


async def scene(folder: Path, work: Callable[[Scene], Any]) -> Any:
    """What `work` finds out about an open page; it blocks, on a thread."""
    async with open_page(folder) as opened:
        return await asyncio.to_thread(work, opened)


async def test_the_first_telephone_is_paired_chooses_a_pin_and_is_in(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        browser = page.browser()
        assert "Connect this telephone" in browser.get("/").text
        digits = page.opened.digits
        assert (
            browser.follow(browser.post("/pair", code=f"{digits[:4]} {digits[4:]}")).text.count('type="password"') == 2
        )
        assert "It waits for its wake word." in browser.follow(browser.post("/pin", pin=PIN, again=PIN)).text
        assert browser.get("/time").status == 200

    await scene(tmp_path, work)


async def test_a_stranger_sees_nothing_and_changes_nothing(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        page.signed_in()
        stranger = page.browser()
        for path in SIGNED_IN_ONLY:
            assert stranger.get(path).header("location") == "/", path
        for path in ACTIONS:
            assert stranger.post(path, pin=PIN, percent=1).status == 303, path
        assert "Ana" not in stranger.get("/").text
        assert page.unit.asked == []

    await scene(tmp_path, work)


async def test_a_paired_telephone_without_the_pin_sees_nothing_either(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        page.signed_in()
        child = page.paired()
        for path in SIGNED_IN_ONLY:
            assert child.get(path).header("location") == "/", path
        for path in ACTIONS:
            child.post(path, percent=1)
        # Another first PIN is not to be had.
        child.post("/pin", pin="my-own-pin", again="my-own-pin")
        assert child.post("/sign-in", pin="my-own-pin").status == 400
        assert page.unit.asked == []

    await scene(tmp_path, work)


async def test_a_code_works_once_and_not_for_long(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        code = page.access.new_code()
        assert page.browser().post("/pair", code=code.digits).status == 303
        assert page.browser().post("/pair", code=code.digits).status == 400
        assert page.browser().post("/pair", code=code.token).status == 400
        late = page.access.new_code()
        page.now[0] += 601
        assert "works no more" in page.browser().post("/pair", code=late.token).text

    await scene(tmp_path, work)


async def test_guessed_digits_soon_work_no_more_the_qr_code_still_does(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        code = page.access.new_code()
        wrong = f"{(int(code.digits) + 1) % 10**8:08d}"
        thief = page.browser()
        for _ in range(MOST_GUESSES):
            assert thief.post("/pair", code=wrong).status == 400
        assert thief.post("/pair", code=code.digits).status == 400
        assert page.browser().post("/pair", code=code.token).status == 303

    await scene(tmp_path, work)


async def test_wrong_pins_cost_growing_waits_which_a_restart_does_not_shorten(tmp_path: Path) -> None:
    def work(page: Scene) -> Browser:
        page.signed_in()
        child = page.paired()
        waits = []
        for _ in range(6):
            answer = child.post("/sign-in", pin="not-this-1")
            assert answer.status == 400
            assert "It waits" not in answer.text
            waits.append(next(iter(re.findall(r"again in (\d+ \w+)", answer.text)), "0"))
            if waits[-1] != "0":
                # Even the right one is not looked at meanwhile.
                assert child.post("/sign-in", pin=PIN).status == 429
            page.now[0] += 3600
        assert waits == ["0", "0", "5 s", "10 s", "20 s", "40 s"]
        assert child.post("/sign-in", pin="not-this-1").status == 400
        return child

    child = await scene(tmp_path, work)
    async with open_page(tmp_path) as again:
        child.port = again.port

        def after() -> None:
            assert child.post("/sign-in", pin=PIN).status == 429
            again.now[0] += 81
            assert child.post("/sign-in", pin=PIN).status == 303

        await asyncio.to_thread(after)


async def test_pins_tried_at_the_same_time_gain_nothing(tmp_path: Path) -> None:
    def work(page: Scene) -> list[int]:
        page.signed_in()
        child = page.paired()
        token = token_of(child.get("/").text)
        go = threading.Barrier(MOST_OF_ONE)

        def one(number: int) -> int:
            go.wait()
            return Browser(page.port, cookies=dict(child.cookies)).post("/sign-in", token, pin=f"guess-{number}").status

        with ThreadPoolExecutor(MOST_OF_ONE) as pool:
            return list(pool.map(one, range(MOST_OF_ONE)))

    answers = await scene(tmp_path, work)
    assert answers.count(400) == 3
    assert answers.count(429) == MOST_OF_ONE - 3


async def test_new_telephones_do_not_get_around_the_waits(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        owner = page.signed_in()
        looked_at = 0
        for _ in range(12):
            child = page.paired()
            looked_at += sum(child.post("/sign-in", pin="not-this-1").status == 400 for _ in range(3))
        assert looked_at == 10
        # The owner, who is in, is not put out; and the wait is never longer than five minutes.
        assert owner.get("/time").status == 200
        page.now[0] += 300
        assert page.paired().post("/sign-in", pin=PIN).status == 303

    await scene(tmp_path, work)


@pytest.mark.parametrize(
    "pin", ["12345", "123456", "654321", "000000", "121212", "abcdef", "password", "123123", "１２３４５６"]
)
async def test_pins_that_everybody_tries_first_are_refused(tmp_path: Path, pin: str) -> None:
    def work(page: Scene) -> None:
        browser = page.paired()
        assert browser.post("/pin", pin=pin, again=pin).status == 400
        assert not page.access.has_pin

    await scene(tmp_path, work)


async def test_a_session_ends_by_itself_and_is_worth_nothing_elsewhere(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        browser = page.signed_in()
        page.now[0] += IDLE_S - 1
        assert browser.get("/time").status == 200
        page.now[0] += IDLE_S + 1
        assert browser.get("/time").status == 303
        busy = page.signed_in()
        for _ in range(round(LONGEST_S / 600)):
            assert busy.get("/time").status == 200
            page.now[0] += 600
        assert busy.get("/time").status == 303
        stolen = page.signed_in()
        thief = page.browser(agent="Mozilla/5.0 (X11; Linux) Firefox/140", cookies=dict(stolen.cookies))
        assert thief.get("/time").status == 303
        # And from then on it is over for both.
        assert stolen.get("/time").status == 303

    await scene(tmp_path, work)


async def test_sessions_can_be_ended_and_telephones_disconnected(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        first, second = page.signed_in(), page.signed_in(agent="Mozilla/5.0 (Android) Firefox/140")
        assert second.post("/end-all").status == 303
        assert first.get("/time").status == 303
        assert second.get("/time").status == 200
        telephones = re.findall(r'name="telephone" value="([0-9a-f]+)"', second.get("/access").text)
        assert second.post("/disconnect", telephone=telephones[0]).status == 303
        assert "Connect this telephone" in first.get("/").text
        second.post("/sign-out")
        assert second.get("/time").status == 303

    await scene(tmp_path, work)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json"},
    ],
)
async def test_a_page_in_another_tab_changes_nothing(tmp_path: Path, headers: dict[str, str | None]) -> None:
    """Even if a browser sent the cookies, and the form's token were known."""

    def work(page: Scene) -> None:
        browser = page.signed_in()
        assert browser.post("/mute", headers=headers).status in (403, 415)
        assert page.unit.asked == []

    await scene(tmp_path, work)


async def test_a_form_needs_the_token_of_this_very_session(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        browser, other = page.signed_in(), page.signed_in(agent="another")
        for token in ("0" * 64, "x", token_of(other.get("/").text)):
            assert browser.post("/mute", token).status == 400
        assert page.unit.asked == []

    await scene(tmp_path, work)


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "evil.example", "127.0.0.1", "10.0.0.9:{port}", "127.0.0.1.evil.example:{port}"]
)
async def test_a_name_that_a_stranger_points_here_is_not_answered(tmp_path: Path, host: str) -> None:
    def work(page: Scene) -> None:
        answer = page.browser(host=host.format(port=page.port)).get("/")
        assert answer.status == 421
        assert not answer.header("set-cookie")

    await scene(tmp_path, work)


async def test_no_other_site_may_frame_embed_or_read_it(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        browser = page.signed_in()
        for path in ("/", "/owner.css", "/nothing", "/export?persona=Teddy&person=Ana"):
            answer = browser.get(path)
            policy = answer.header("content-security-policy")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.header("x-frame-options") == "DENY"
            assert answer.header("cache-control") == "no-store"
            assert not answer.header("access-control-allow-origin")
        assert browser.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
        assert browser.get("/", Sec_Fetch_Dest="iframe").status == 403
        assert browser.get("/", Origin="https://evil.example").status == 403
        # A link from elsewhere may lead here.
        assert browser.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
        text = browser.get("/").text
        assert not re.search(r"<script(?! src=\"/owner.js\" defer></script>)|\son\w+=|style=|https?://", text)

    await scene(tmp_path, work)


async def test_cookies_are_for_this_host_alone_and_for_no_script(tmp_path: Path) -> None:
    def work(page: Scene) -> list[str]:
        browser = page.browser()
        answers = [browser.get("/"), browser.post("/pair", code=page.access.new_code().token)]
        answers.append(browser.post("/pin", pin=PIN, again=PIN))
        return [value for one in answers for key, value in one.headers if key == "set-cookie"]

    cookies = await scene(tmp_path, work)
    assert {one.partition("=")[0] for one in cookies} == {"__Host-visit", "__Host-telephone", "__Host-session"}
    for one in cookies:
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} <= set(one.split("; "))


async def test_nothing_that_opens_a_door_is_on_the_disk(tmp_path: Path) -> None:
    def work(page: Scene) -> list[str]:
        browser = page.signed_in()
        browser.post("/sign-out")
        return [PIN, page.opened.digits, page.opened.link.partition("#")[2], *browser.cookies.values()]

    secrets = await scene(tmp_path, work)
    files = await asyncio.to_thread(lambda: [one for one in tmp_path.rglob("*") if one.is_file()])
    assert len(files) == 5
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        data = file.read_bytes()
        assert not [one for one in secrets if one and one.encode() in data], file


async def test_a_form_that_is_too_large_or_no_form_is_refused(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        browser = page.signed_in()
        token = token_of(browser.get("/").text)
        assert browser.post("/correct", token, text="x" * LARGEST_FORM).status == 413
        assert browser.post("/correct", token, **{f"f{n}": "" for n in range(60)}).status == 400
        assert browser.send("PUT", "/").status == 405
        assert browser.get(f"/{'x' * 600}").status == 414
        assert browser.get("/../../etc/passwd").status == 404

    await scene(tmp_path, work)


async def test_a_stranger_who_holds_connections_open_leaves_room_for_others(tmp_path: Path) -> None:
    """So many of one address, whether they shake hands or not; further ones are closed at once."""

    def work(page: Scene) -> None:
        held = [socket.create_connection(("127.0.0.1", page.port), timeout=5) for _ in range(MOST_OF_ONE)]
        more = socket.create_connection(("127.0.0.1", page.port), timeout=5)
        assert more.recv(1) == b""
        for one in [*held, more]:
            one.close()
        answered = page.browser()
        for _ in range(20):
            try:
                assert answered.get("/").status == 200
                break
            except (ConnectionError, ssl.SSLError):
                continue
        else:
            pytest.fail("nobody is answered any more")

    await scene(tmp_path, work)


async def test_plain_http_and_old_tls_are_not_spoken(tmp_path: Path) -> None:
    def work(page: Scene) -> None:
        with socket.create_connection(("127.0.0.1", page.port), timeout=5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"HTTP" not in plain.recv(100)
        assert page.browser().get("/").status == 200

    await scene(tmp_path, work)


async def test_a_damaged_file_opens_nothing(tmp_path: Path) -> None:
    await scene(tmp_path, lambda page: page.signed_in())
    path = tmp_path / "owner.json"
    fields = json.loads(path.read_text())
    for damaged in ("", "{}", "[]", path.read_text()[:-9], json.dumps({**fields, "pin": {"salt": "x", "digest": ""}})):
        path.write_text(damaged)
        with pytest.raises(Exception, match="reset-pin"):
            Access(OwnerFile(tmp_path), lambda: 0.0, lambda: AT)
