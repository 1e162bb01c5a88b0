"""The page that draws the toy: what a browser gets, live, and who gets nothing."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body import page
from companion.body.page import PageBody
from companion.config.body import BodySettings
from companion.config.device import Device
from companion.config.outputs import PageSettings
from companion.config.persona import load_persona
from companion.errors import DeviceError
from companion.events import BodyFrame
from companion.local_server import is_same_origin
from tests.support.paths import CONFIGS

CHANNELS = BodySettings.model_validate(
    {
        "channels": {
            "eyes": {"kind": "light"},
            "head": {"kind": "servo", "low": -45, "high": 45},
            "mouth": {"kind": "mouth"},
        }
    }
).channels
PATIENCE_S = 10.0


@pytest.fixture
async def body() -> AsyncIterator[PageBody]:
    one = PageBody(PageSettings(), CHANNELS, "Momo")
    one.start()
    yield one
    await one.close()


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one answer."""
    parts = urlsplit(url)
    link = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
    try:
        link.request(method, parts.path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = link.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        link.close()


@contextmanager
def browser(url: str) -> Iterator[Iterator[tuple[str, Any]]]:
    """Server-sent events, as a browser takes them."""
    parts = urlsplit(url)
    link = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
    link.request("GET", parts.path + "frames")
    answer = link.getresponse()
    assert answer.getheader("content-type") == "text/event-stream"

    def events() -> Iterator[tuple[str, Any]]:
        kind = "message"
        while line := answer.readline().decode():
            name, _, value = line.strip().partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                yield kind, json.loads(value)
                kind = "message"

    try:
        yield events()
    finally:
        answer.close()
        link.close()


async def test_a_browser_gets_the_page_the_channels_and_then_every_frame(body: PageBody) -> None:
    status, headers, text = await asyncio.to_thread(ask, body.url)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "toy.js" in text
    for name in ("toy.js", "toy.css"):
        assert (await asyncio.to_thread(ask, body.url + name))[0] == 200
    with browser(body.url) as events:
        kind, hello = await asyncio.to_thread(next, events)
        assert (kind, hello["name"], list(hello["channels"])) == ("hello", "Momo", ["eyes", "head", "mouth"])
        assert hello["channels"]["head"] == {"kind": "servo", "low": -45.0, "high": 45.0}
        assert (await asyncio.to_thread(next, events))[1]["positions"] == {"head": 0.0, "mouth": 0.0}
        for opening in (0.25, 0.5):
            await body.show(BodyFrame({"eyes": (1, 2, 3)}, {"mouth": opening}))
            _, seen = await asyncio.to_thread(next, events)
            assert seen == {"lights": {"eyes": [1, 2, 3]}, "positions": {"head": 0.0, "mouth": opening}}


async def test_a_later_browser_gets_the_newest_frame_and_no_backlog(body: PageBody) -> None:
    for angle in range(200):
        await body.show(BodyFrame({}, {"head": angle / 10}))
    with browser(body.url) as one, browser(body.url) as other:
        for events in (one, other):
            await asyncio.to_thread(next, events)
            assert (await asyncio.to_thread(next, events))[1]["positions"]["head"] == 19.9


async def test_closing_shows_the_neutral_pose_and_ends_the_stream() -> None:
    body = PageBody(PageSettings(), CHANNELS, "Momo")
    await body.show(BodyFrame({"eyes": (9, 9, 9)}, {"head": 30.0}))
    with browser(body.url) as events:
        await asyncio.to_thread(next, events)
        await asyncio.to_thread(next, events)
        await body.close()
        rest = await asyncio.to_thread(list, events)
    assert all(seen["positions"]["head"] == 0.0 for _, seen in rest)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:80"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
async def test_other_sites_are_kept_out(body: PageBody, headers: dict[str, str], status: int) -> None:
    got, answered, _ = await asyncio.to_thread(ask, body.url, **headers)
    assert got == status
    assert "access-control-allow-origin" not in answered
    assert "default-src 'none'" in answered["content-security-policy"]


async def test_without_the_random_word_there_is_nothing(body: PageBody) -> None:
    parts = urlsplit(body.url)
    for path in ("", "frames", "x/", "../" * 5 + "etc/passwd", f"{parts.path[1:-1]}", f"{parts.path[1:]}nothing"):
        assert (await asyncio.to_thread(ask, f"http://{parts.netloc}/{path}"))[0] == 404
    assert (await asyncio.to_thread(ask, body.url, "POST"))[0] == 405
    assert len(parts.path) > 20
    other = PageBody(PageSettings(), CHANNELS, "Momo")
    assert urlsplit(other.start()).path != parts.path
    await other.close()


@given(
    st.dictionaries(st.sampled_from([b"host", b"origin", b"sec-fetch-site", b"x"]), st.binary(max_size=40)),
    st.integers(1, 65_535),
)
def test_no_random_header_is_accepted_as_our_own(headers: dict[bytes, bytes], port: int) -> None:
    assert not is_same_origin({b"host": b"evil.example", **headers}, port) or headers[b"host"].endswith(
        f":{port}".encode()
    )
    assert is_same_origin({b"host": f"localhost:{port}".encode(), b"origin": f"http://127.0.0.1:{port}".encode()}, port)


async def test_a_port_in_use_is_one_sentence_and_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        body = PageBody(PageSettings(port=number), CHANNELS, "Momo")
        for _ in range(2):
            with pytest.raises(DeviceError, match=f"port {number}"):
                await body.show(BodyFrame({}, {}))
    await body.show(BodyFrame({}, {"head": 1.0}))
    assert (await asyncio.to_thread(ask, body.url))[0] == 200
    await body.close()


async def test_the_address_is_logged_and_nobody_needs_to_watch(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "companion")
    persona = load_persona(CONFIGS / "personas" / "teddy.toml")
    body = page.build(Device(persona=Path("x"), body=BodySettings(outputs=("page",))), persona)
    loop = asyncio.get_running_loop()
    await body.show(BodyFrame({}, {}))
    began = loop.time()
    for angle in range(2000):
        await body.show(BodyFrame({}, {"head": float(angle % 40)}))
    assert loop.time() - began < 1.0
    assert body.url in caplog.text
    await body.close()
    await body.close()


async def test_every_picture_and_gauge_has_a_label_for_screen_readers(body: PageBody) -> None:
    page, script = [await asyncio.to_thread(ask, body.url + name) for name in ("", "toy.js")]
    for element in re.findall(r"<(?:svg|img|footer)[^>]*>", page[2]):
        assert 'aria-label="' in element
        assert 'role="' in element
    for made in re.findall(r'make\("svg", \{[^}]*\}', script[2]):
        assert '"aria-hidden": "true"' in made
    for attribute in ("role", "aria-label", "aria-valuetext", "aria-valuenow"):
        assert f'box.setAttribute("{attribute}"' in script[2]
