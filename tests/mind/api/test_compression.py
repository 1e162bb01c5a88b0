"""Compressed bodies that nobody asked for: unpacked where they can be, bounded, or named."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.errors import CharacterRefused
from companion.mind.api.compression import UnreadableBody, decoder
from tests.mind.api.servers.loopback import Reply, choice, frames, refused, spoken, talking_to
from tests.support.service_scene import answer

BODY = frames(*spoken(["Good ", "morning."]), choice({}, "stop")).body


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": (gzip.compress(BODY), "gzip"),
    "x-gzip": (gzip.compress(BODY), "x-gzip"),
    "zlib": (zlib.compress(BODY), "deflate"),
    "raw deflate": (raw_deflate(BODY), "deflate"),
    "no label": (gzip.compress(BODY), ""),
    "identity": (BODY, "identity"),
}


@pytest.mark.parametrize("name", PACKED)
async def test_a_compressed_answer_is_heard(name: str, tmp_path: Path) -> None:
    body, label = PACKED[name]
    async with talking_to(lambda _: Reply(body, headers={"content-encoding": label}), tmp_path) as (character, _):
        assert await answer(character) == "Good morning."
        assert await answer(character) == "Good morning."


@pytest.mark.parametrize("name", PACKED)
@given(size=st.integers(1, 200))
def test_wherever_it_is_cut(name: str, size: int) -> None:
    body, label = PACKED[name]
    reader = decoder(label)
    out = b""
    for at in range(0, len(body), size):
        reader.feed(body[at : at + size])
        while piece := reader.read():
            out += piece
    assert out == BODY


async def test_a_compressed_refusal_is_understood(tmp_path: Path) -> None:
    body = gzip.compress(refused(401, {"error": {"code": "invalid_api_key", "message": "no"}}).body)
    reply = Reply(body, 401, "application/json", {"content-encoding": "gzip"})
    async with talking_to(lambda _: reply, tmp_path) as (character, _):
        with pytest.raises(CharacterRefused, match="does not accept the key"):
            await answer(character)


@pytest.mark.parametrize(
    ("body", "label", "why"),
    [
        (b"x", "br", r"compressed \(br\), which was not asked for: check the proxy"),
        (b"x", "gzip, br", r"compressed \(gzip, br\)"),
        (b"no gzip at all", "gzip", "its compression is damaged"),
        (gzip.compress(b"\n" * 30_000_000), "gzip", "it unpacks to far more than an answer"),
    ],
)
async def test_what_cannot_be_unpacked_is_named(body: bytes, label: str, why: str, tmp_path: Path) -> None:
    reply = Reply(body, headers={"content-encoding": label})
    async with talking_to(lambda _: reply, tmp_path) as (character, requests):
        with pytest.raises(CharacterRefused, match=why):
            await answer(character)
    assert len(requests) == 1


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "", "identity"]))
def test_any_bytes_come_to_an_end(data: bytes, label: str) -> None:
    reader = decoder(label)
    with suppress(UnreadableBody):
        reader.feed(data)
        while reader.read():
            pass
