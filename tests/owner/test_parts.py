"""What the owner's page is made of: markup, waits, certificate, log of changes; and that it closes by itself."""

from __future__ import annotations

import asyncio
import html
import re
import ssl
import stat
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import DeviceError
from companion.owner import certificate
from companion.owner.addresses import is_near, own_addresses, own_names
from companion.owner.certificate import certificate_for
from companion.owner.change_log import LARGEST, ChangeLog
from companion.owner.markup import tag, together
from companion.owner.waits import FREE, LONGEST_S, Waits, wait_of
from companion.owner.web import form_token, is_token
from tests.support.owner_unit import AT, open_page


class Parts(HTMLParser):
    """The elements, attributes and words of a piece of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.words += data


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00")))
def test_whatever_is_said_stays_words(said: str) -> None:
    page = Parts()
    page.feed(tag("p", said, tag("b", said), title=said).source)
    page.close()
    assert page.elements == [("p", [("title", said)]), ("b", [])]
    assert page.words == said * 2


@pytest.mark.parametrize(
    "attributes",
    [
        {"onclick": "x"},
        {"style": "x"},
        {"srcdoc": "x"},
        {"href": "javascript:x"},
        {"href": "https://evil.example"},
        {"href": "//evil.example"},
        {"href": "/\\evil.example"},
        {"action": "http://x"},
        {"src": "data:x"},
    ],
)
def test_what_could_hold_script_or_lead_away_is_not_written(attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"not written|leads away"):
        tag("a", "x", **attributes)


def test_script_and_style_hold_nothing_and_none_is_left_out() -> None:
    with pytest.raises(ValueError, match="script"):
        tag("script", "alert(1)")
    assert together(None, ["a", None, 1], "<").source == "a1&lt;"
    assert html.unescape(tag("input", value='"', checked=True, disabled=False).source) == '<input value=""" checked>'


def test_waits_double_and_none_is_for_ever() -> None:
    assert [wait_of(one) for one in range(FREE + 4)] == [0, 0, 0, 5, 10, 20, 40]
    assert wait_of(10**9) == LONGEST_S
    waits = Waits(failures=20, since=100.0)
    assert waits.left(100.0) == LONGEST_S
    assert waits.left(100.0 + LONGEST_S) == 0
    waits.succeed()
    assert waits.left(100.0) == 0


@given(st.text(), st.text())
def test_a_token_is_of_one_secret_and_one_key(one: str, other: str) -> None:
    key = b"k" * 32
    assert is_token(key, one, form_token(key, one))
    same = one.encode("utf-8", "replace") == other.encode("utf-8", "replace")
    assert is_token(key, other, form_token(key, one)) == same
    assert not is_token(b"x" * 32, one, form_token(key, one))
    assert not is_token(key, one, other)


def test_the_certificate_is_kept_while_the_addresses_are_and_the_key_always(tmp_path: Path) -> None:
    first = certificate_for(tmp_path, ["192.168.1.20"], ["momo.local"])
    key = first.key.read_bytes()
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.key.parent.stat().st_mode) == 0o700
    assert re.fullmatch(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", first.fingerprint)
    assert certificate_for(tmp_path, ["192.168.1.20"], ["momo.local"]) == first
    later = certificate_for(tmp_path, ["10.0.0.7"], ["momo.local"])
    assert later.fingerprint != first.fingerprint
    assert later.key.read_bytes() == key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(later.certificate, later.key)
    shown = subprocess.run(
        ["openssl", "x509", "-in", later.certificate, "-noout", "-text"], capture_output=True, text=True, check=True
    ).stdout
    assert "IP Address:10.0.0.7, DNS:localhost, DNS:momo.local" in shown
    assert "CA:FALSE" in shown
    assert "prime256v1" in shown


def test_a_key_that_others_may_have_written_is_not_used(tmp_path: Path) -> None:
    first = certificate_for(tmp_path, ["10.0.0.7"], [])
    first.key.chmod(0o666)
    with pytest.raises(DeviceError, match="owner-page"):
        certificate_for(tmp_path, ["10.0.0.7"], [])


def test_without_openssl_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match="apt install openssl"):
        certificate_for(tmp_path, ["10.0.0.7"], [])
    assert certificate.DAYS < 398


def test_only_private_networks_are_near() -> None:
    near = ("127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.0.1", "169.254.1.1")
    assert all(map(is_near, near))
    assert not any(map(is_near, ("8.8.8.8", "172.32.0.1", "0.0.0.0", "100.64.0.1", "x", "")))
    assert all(is_near(one) and not one.startswith("127.") for one in own_addresses())
    assert all(one.endswith(".local") for one in own_names())


def test_the_log_of_changes_only_grows_and_is_bounded(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path, lambda: AT)
    log.add("volume", "Safari, iPhone", "35 %")
    log.add("opened")
    path = tmp_path / "owner-changes.jsonl"
    with path.open("ab") as file:
        file.write(b'damaged\n[]\n{"at": 1}\n')
    log.add("closed")
    assert [(one.what, one.who, one.detail) for one in log.newest()] == [
        ("closed", "", ""), ("opened", "", ""), ("volume", "Safari, iPhone", "35 %")
    ]  # fmt: skip
    with path.open("ab") as file:
        file.write(b"x" * LARGEST)
    log.add("muted")
    log.add("unmuted")
    assert log.newest()[0].what == "unmuted"
    assert path.stat().st_size < 1000


async def test_it_closes_by_itself_when_nobody_comes(tmp_path: Path) -> None:
    async with open_page(tmp_path, minutes=0.0) as page:
        async with asyncio.timeout(10):
            await page.closed.wait()


async def test_it_closes_when_the_owner_closes_it(tmp_path: Path) -> None:
    async with open_page(tmp_path) as page:
        browser = await asyncio.to_thread(page.signed_in)
        told = await asyncio.to_thread(browser.post, "/close")
        assert told.status == 200
        assert "The page was closed" in told.text
        assert "Sign out" not in told.text
        async with asyncio.timeout(10):
            await page.closed.wait()
