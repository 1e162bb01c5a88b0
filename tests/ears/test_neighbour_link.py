"""The way between units, over real sockets on loopback; then whole ears over them; and a hostile network."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.config.wake import WakeSettings
from companion.ears.neighbour_link import (
    GROUP,
    LOOK_AGAIN_S,
    MOST_A_SECOND,
    NeighbourLink,
    link_to_neighbours,
    networks,
)
from companion.ears.neighbours import LENGTH, Claims
from companion.events import State
from tests.support.room import SECRET, Live, RoomUnit, free_port, loopback, no_multicast, spoken

WITHOUT_MULTICAST = no_multicast()
multicast = pytest.mark.skipif(bool(WITHOUT_MULTICAST), reason=WITHOUT_MULTICAST or "it has multicast")

LOUD, SOFT = spoken(3000, 50), spoken(600, 50)


@asynccontextmanager
async def running(*links: NeighbourLink) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.run()) for one in links]
        # Each has opened its socket when it first waits.
        await asyncio.sleep(0)
        yield
        for one in tasks:
            one.cancel()


async def until(condition: Callable[[], bool], do: Callable[[], Awaitable[None]] | None = None) -> None:
    """Let the loop turn until it is so."""
    async with asyncio.timeout(10):
        while not condition():
            await (do() if do else asyncio.sleep(0))


def send(datagram: bytes, port: int) -> None:
    """What anybody on the network can do."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.sendto(datagram, ("127.0.0.1", port))


@multicast
async def test_one_hears_the_other_and_the_best_has_no_rival() -> None:
    port = free_port()
    near, far = NeighbourLink(SECRET, loopback, port), NeighbourLink(SECRET, loopback, port)
    async with running(near, far):
        near.claim("okay_nabu", LOUD, in_talk=False)
        far.claim("okay_nabu", SOFT, in_talk=False)
        await until(lambda: far.rival is not None)
        assert near.rival is None
        assert near.trouble == far.trouble == ""


@multicast
@pytest.mark.parametrize("louds", [(3000, 1000), (1000, 3000), (1000, 3000, 2000)])
async def test_of_whole_ears_over_real_sockets_one_answers(louds: tuple[int, ...]) -> None:
    port = free_port()
    links = [NeighbourLink(SECRET, loopback, port) for _ in louds]
    units = [RoomUnit(link, Live(60, loud)) for link, loud in zip(links, louds, strict=True)]
    async with running(*links), asyncio.TaskGroup() as group:
        for one in units:
            group.create_task(one.run())
    answering = [loud for loud, one in zip(louds, units, strict=True) if one.state is State.LISTENING]
    assert answering == [max(louds)]
    assert sum(len(one.yielded) for one in units) == len(louds) - 1


@multicast
async def test_another_secret_is_another_world_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    ours, theirs = NeighbourLink(SECRET, loopback, port), NeighbourLink(b"quite another secret", loopback, port)
    async with running(ours, theirs):
        ours.claim("okay_nabu", SOFT, in_talk=False)
        for _ in range(3):
            theirs.claim("okay_nabu", LOUD, in_talk=False)
        await until(lambda: ours.trouble != "")
        assert ours.rival is None
        assert "give every unit in the room the same one" in ours.trouble
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    # Each of the two once.
    assert len(told) <= 2
    assert SECRET.decode() not in caplog.text


@multicast
@pytest.mark.looptime
async def test_a_flood_is_looked_at_in_bounded_amounts_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    looked_at = 0

    class Counting(NeighbourLink):
        def take(self, datagram: bytes, address: str) -> None:
            nonlocal looked_at
            looked_at += 1
            super().take(datagram, address)

    attacked = Counting(SECRET, loopback, port)
    async with running(attacked):
        for _ in range(500):
            for _ in range(20):
                send(os.urandom(LENGTH), port)
            await asyncio.sleep(0)
        assert looked_at == MOST_A_SECOND
        assert "floods" in attacked.trouble
        await asyncio.sleep(1.1)
        # What had waited is old by now, and was not looked at.
        assert looked_at == MOST_A_SECOND
        neighbour = NeighbourLink(SECRET, loopback, port)
        async with running(neighbour):
            attacked.claim("okay_nabu", SOFT, in_talk=False)
            neighbour.claim("okay_nabu", LOUD, in_talk=False)
            await until(lambda: attacked.rival is not None)
        assert attacked.trouble == ""
    assert caplog.text.count("floods") == 1


@given(datagrams=st.lists(st.binary(max_size=2000), max_size=20))
def test_whatever_arrives_nothing_is_raised(datagrams: list[bytes]) -> None:
    async def arrive() -> None:
        link = NeighbourLink(SECRET, list, 0)
        link.claim("okay_nabu", SOFT, in_talk=False)
        for one in datagrams:
            link.take(one, "10.0.0.1")
        assert link.rival is None

    asyncio.run(arrive())


@multicast
async def test_a_recorded_datagram_silences_nobody() -> None:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as eavesdropper:
        eavesdropper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        eavesdropper.bind((GROUP, port))
        member = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
        eavesdropper.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        near, far = NeighbourLink(SECRET, loopback, port), NeighbourLink(SECRET, loopback, port)
        async with running(near, far):
            near.claim("okay_nabu", LOUD, in_talk=False)
            eavesdropper.settimeout(5)
            recorded = eavesdropper.recv(1000)
            far.claim("okay_nabu", SOFT, in_talk=False)
            await until(lambda: far.rival is not None)
            near.forget()
            far.forget()
    later = NeighbourLink(SECRET, loopback, port, wall=lambda: time.time() + 3600)
    later.claim("okay_nabu", SOFT, in_talk=False)
    later.take(recorded, "127.0.0.1")
    assert later.rival is None
    assert "clock" in later.trouble


@pytest.mark.looptime
async def test_a_network_that_comes_later_is_found() -> None:
    there: list[int] = []
    link = NeighbourLink(SECRET, lambda: there, free_port())
    async with running(link):
        assert link.trouble == "there is no network"
        link.claim("okay_nabu", LOUD, in_talk=False)
        there += loopback()
        await asyncio.sleep(LOOK_AGAIN_S + 0.1)
        assert link.trouble == WITHOUT_MULTICAST


@pytest.mark.looptime
async def test_a_network_that_went_away_is_told_once_and_joined_again(caplog: pytest.LogCaptureFixture) -> None:
    there = [999_999]
    link = NeighbourLink(SECRET, lambda: there, free_port())
    async with running(link):
        assert link.trouble.startswith("they cannot be asked (")
        await asyncio.sleep(10 * LOOK_AGAIN_S)
        assert len(caplog.records) == 1
        there[:] = loopback()
        await asyncio.sleep(LOOK_AGAIN_S)
        link.claim("okay_nabu", LOUD, in_talk=False)
        assert link.trouble == WITHOUT_MULTICAST


@multicast
async def test_one_broken_network_does_not_keep_it_from_the_others() -> None:
    port = free_port()
    one = NeighbourLink(SECRET, lambda: [999_992, *loopback(), 999_999], port)
    other = NeighbourLink(SECRET, loopback, port)
    async with running(one, other):
        other.claim("okay_nabu", SOFT, in_talk=False)
        one.claim("okay_nabu", LOUD, in_talk=False)
        await until(lambda: other.rival is not None)


@multicast
@pytest.mark.looptime
async def test_through_a_network_that_is_gone_nothing_is_sent_until_it_is_back() -> None:
    there, port = loopback(), free_port()
    leaving, staying = NeighbourLink(SECRET, lambda: list(there), port), NeighbourLink(SECRET, loopback, port)
    async with running(leaving, staying):
        there.clear()
        await asyncio.sleep(LOOK_AGAIN_S)
        leaving.claim("okay_nabu", LOUD, in_talk=False)
        staying.claim("okay_nabu", SOFT, in_talk=False)
        await asyncio.sleep(1)
        assert staying.rival is None
        there += loopback()
        await asyncio.sleep(LOOK_AGAIN_S)
        staying.claim("okay_nabu", SOFT, in_talk=False)
        leaving.claim("okay_nabu", LOUD, in_talk=False)
        await until(lambda: staying.rival is not None)
        assert leaving.trouble == ""


@pytest.mark.looptime
async def test_where_the_port_is_anothers_it_answers_alone_and_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 0))
        link = NeighbourLink(SECRET, loopback, other.getsockname()[1])
        async with running(link):
            link.claim("okay_nabu", LOUD, in_talk=False)
            assert link.rival is None
            await asyncio.sleep(10 * LOOK_AGAIN_S)
            assert "Address already in use" in link.trouble
            assert len(caplog.records) == 1
            other.close()
            await asyncio.sleep(LOOK_AGAIN_S)
            assert link.trouble == WITHOUT_MULTICAST


@multicast
async def test_to_a_neighbour_that_is_known_it_goes_directly_too() -> None:
    """Wi-Fi sends what is for all late, and only once."""
    port = free_port()
    link = NeighbourLink(SECRET, list, port)
    async with running(link):
        claim = Claims(SECRET, b"neighbor").claim("x", 0, 0, in_talk=False, now=0, wall=time.time())
        link.take(claim, "127.0.0.1")
        # It has no network to send to all on, so what comes back went to that address.
        heard: list[bytes] = []
        link.take = lambda datagram, _address: heard.append(datagram)  # type: ignore[method-assign]
        link.claim("okay_nabu", LOUD, in_talk=False)
        await until(lambda: len(heard) == 1)


def test_loopback_is_no_network_to_neighbours() -> None:
    assert not set(networks()) & set(loopback())


async def test_off_by_default_no_port_is_opened() -> None:
    missing: list[str] = []
    assert link_to_neighbours(WakeSettings(), missing) is None
    assert missing == []


@pytest.mark.parametrize("mode", ["open", "button"])
async def test_without_a_wake_word_nobody_is_asked(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANION_NEIGHBOURS_KEY", SECRET.decode())
    settings = WakeSettings.model_validate({"mode": mode, "neighbours": True})
    assert link_to_neighbours(settings, []) is None


async def test_without_a_secret_it_goes_on_alone_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPANION_NEIGHBOURS_KEY", raising=False)
    missing: list[str] = []
    assert link_to_neighbours(WakeSettings(neighbours=True), missing) is None
    assert len(missing) == 1
    assert "head -c 24 /dev/urandom | base64" in missing[0]


async def test_a_secret_that_could_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANION_NEIGHBOURS_KEY", "living-room")
    missing: list[str] = []
    assert link_to_neighbours(WakeSettings(neighbours=True), missing) is None
    assert "fewer than 16 characters" in missing[0]
    assert "living-room" not in missing[0]
