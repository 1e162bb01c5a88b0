"""The way to the other units in the room: UDP multicast on the local network, which no router passes on.

Only opened where `ears.wake.neighbours = true`; then UDP port `PORT` is open on every network of the unit. What arrives
there is nobody's friend: it is read without waiting, in bounded amounts, and ignored unless it is signed. Without a
network, or where the system forbids it, nothing is sent and nobody heard: the unit answers as if it were alone, and
tries again. Each trouble is logged once.

To those heard from before, the datagram goes directly as well: Wi-Fi sends what is for all late, and only once.

All on the loop; reading, signing and sending take some 0.1 ms together.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from companion.child_environment import NEIGHBOURS_VARIABLE
from companion.config.wake import WakeSettings
from companion.config.wording import as_sentence
from companion.ears.neighbours import LENGTH, Claim, Claims, Refusal, heard_how_well
from companion.errors import ConfigError
from companion.secret import find_secret

log = logging.getLogger("companion")

CREDENTIAL = "neighbours-key"
"""The systemd credential with the shared secret."""

GROUP = "224.0.0.254"
"""For experiments on one local network (RFC 4727). Switches pass it to every port, whoever asked for it."""
PORT = 29_617

MOST_A_SECOND = 50
"""Datagrams that are looked at. Forty units that hear one word send as many."""
_AT_ONCE = 8
"""Of them, before the loop goes on to something else."""
_MOST_WAITING = 100
"""More do not fit into the socket's buffer."""
_MOST_ADDRESSES = 8
LOOK_AGAIN_S = 15.0
"""How often networks that came, went or failed are looked for."""

_SHORTEST_SECRET = 16
"""Characters; what was signed with less could be guessed at leisure."""
_MAKE_ONE = "make one with: head -c 24 /dev/urandom | base64"
_NETWORKS = Path("/sys/class/net")
_WANTED, _FLAGS = 0x1003, 0x101B
"""Of a network's flags (`net/if.h`): up, broadcast and multicast, but neither loopback nor point to point."""
_MEMBERSHIP = struct.Struct("=4s4si")

_REFUSED: dict[Refusal, str] = {
    "unsigned": "something on this network sends what is not signed with this unit's secret; "
    "give every unit in the room the same one",
    "clock": "the clock of one differs by more than a minute, so both answer; let both take the time of the network",
}


def find_neighbours_key(settings: WakeSettings) -> bytes:
    """The secret that the units share. Raises `ConfigError` with what to do where there is none, or a useless one."""
    name = "ears.wake.neighbours_key"
    secret = find_secret(CREDENTIAL, NEIGHBOURS_VARIABLE, settings.neighbours_key_file, name)
    if secret is None:
        raise ConfigError(
            "it does not ask its neighbours, because there is no secret that they share; give every unit the same one "
            f'(neighbours = "..." in companion.toml, {NEIGHBOURS_VARIABLE}, a systemd credential called {CREDENTIAL}, '
            f"or ears.wake.neighbours_key_file), {_MAKE_ONE}"
        )
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigError(f"{name}: has fewer than {_SHORTEST_SECRET} characters, so it could be guessed; {_MAKE_ONE}")
    return secret.encode()


def link_to_neighbours(settings: WakeSettings, missing: list[str]) -> NeighbourLink | None:
    """The link that the settings ask for. None where they do not, or where it cannot be: `missing` then says why."""
    if not settings.neighbours or settings.mode != "word":
        return None
    try:
        return NeighbourLink(find_neighbours_key(settings))
    except ConfigError as error:
        text = as_sentence(str(error))
        missing.append(text[0].upper() + text[1:])
    return None


def networks() -> list[int]:
    """The numbers of the local networks that are connected. Netlink would tell, too, but the sandbox forbids it."""
    found = []
    with suppress(OSError):
        for network in _NETWORKS.iterdir():
            with suppress(OSError, ValueError):
                is_local = int((network / "flags").read_text("ascii"), 16) & _FLAGS == _WANTED
                if is_local and (network / "operstate").read_text("ascii").strip() != "down":
                    found.append(int((network / "ifindex").read_text("ascii")))
    return found


class NeighbourLink:
    """One unit's voice among its neighbours. `run` it as a task."""

    def __init__(
        self,
        key: bytes,
        networks: Callable[[], list[int]] = networks,
        port: int = PORT,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._networks, self._port, self._wall = networks, port, wall
        self._loop = asyncio.get_running_loop()
        self._claims = Claims(key, os.urandom(8))
        self._socket: socket.socket | None = None
        self._joined: set[int] = set()
        self._addresses: dict[str, None] = {}
        """Where the last claims came from, the last one at the end."""
        self._second, self._looked_at = 0, 0
        self._told: set[str] = set()
        self.on_rival: Callable[[], None] = lambda: None
        """Called where a better claim than the own one has arrived."""
        self.wakes_yielded = 0
        """How many wake words were left to a neighbour."""
        self._broken, self._refused = "", ""

    async def run(self) -> None:
        """Keep the way open until cancelled."""
        try:
            while True:
                self._look_for_networks()
                await asyncio.sleep(LOOK_AGAIN_S)
        finally:
            self._close()

    def claim(self, word: str, sound: bytes, *, in_talk: bool) -> None:
        """Claim the word at the end of this sound, and tell the others. Never raises."""
        level, quality = heard_how_well(sound)
        now, wall = self._loop.time(), self._wall()
        self.send(self._claims.claim(word, level, quality, in_talk=in_talk, now=now, wall=wall))

    def forget(self) -> None:
        """Drop the own claim: nobody can take it any more."""
        self._claims.forget()

    @property
    def trouble(self) -> str:
        """Why nobody can be asked at present, or nobody understood; empty while all is well."""
        return self._broken or self._refused

    @property
    def rival(self) -> Claim | None:
        """The best claim of the same word, where that is better than the own one; else None."""
        return self._claims.rival

    def _look_for_networks(self) -> None:
        there = set(self._networks())
        # What went and comes back is a new one to the system.
        self._joined &= there
        self._broken = "" if there else "there is no network"
        try:
            if self._socket is None:
                self._open()
        except OSError as error:
            self._cannot_ask(error)
            return
        for network in there - self._joined:
            try:
                self._join(network)
            except OSError as error:
                self._cannot_ask(error)

    def _cannot_ask(self, error: OSError) -> None:
        self._broken = self._tell(f"they cannot be asked ({error.strerror or error}), so it answers by itself")

    def _open(self) -> None:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # What waits while a flood is not read would be old, and taken for a claim of the next word.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            opened.bind(("", self._port))
        except OSError:
            opened.close()
            raise
        self._socket = opened
        self._loop.add_reader(opened, self._read)

    def _join(self, network: int) -> None:
        assert self._socket is not None
        membership = _MEMBERSHIP.pack(socket.inet_aton(GROUP), bytes(4), network)
        try:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # joined before
                raise
        self._joined.add(network)

    def _close(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        self._joined.clear()

    def send(self, datagram: bytes) -> None:
        """Send to all on the local networks, and to those heard from before. Never raises."""
        if self._socket is None:
            return
        failed: OSError | None = None
        sent = False
        ways: list[int | str] = [*self._joined, *self._addresses]
        for way in ways:
            try:
                self._send_to(way, datagram)
            except OSError as error:
                failed = error
            else:
                sent = True
        if failed is not None and not sent:
            self._broken = self._tell(f"they cannot be told ({failed.strerror or failed}), so several may answer")

    def _send_to(self, where: int | str, datagram: bytes) -> None:
        """To all on a network, by its number, or to one address."""
        assert self._socket is not None
        if isinstance(where, int):
            through = _MEMBERSHIP.pack(bytes(4), bytes(4), where)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, through)
        self._socket.sendto(datagram, (GROUP if isinstance(where, int) else where, self._port))

    def _read(self) -> None:
        assert self._socket is not None
        for _ in range(_AT_ONCE):
            try:
                datagram, (address, _) = self._socket.recvfrom(LENGTH + 1)
            except OSError:
                # Nothing waits, or the network went away.
                return
            second = int(self._loop.time())
            self._looked_at = self._looked_at + 1 if second == self._second else 1
            self._second = second
            if self._looked_at > MOST_A_SECOND:
                self._refused = self._tell(f"somebody floods UDP port {self._port}; until that ends several may answer")
                self._loop.remove_reader(self._socket)
                self._loop.call_later(1.0, self._read_again)
                return
            self.take(datagram, address)

    def _read_again(self) -> None:
        if self._socket is None:
            return
        with suppress(OSError):
            for _ in range(_MOST_WAITING):
                self._socket.recv(1)
        self._loop.add_reader(self._socket, self._read)

    def take(self, datagram: bytes, address: str) -> None:
        """Take a datagram that came from `address`, whatever it is. Never raises."""
        found = self._claims.take(datagram, now=self._loop.time(), wall=self._wall())
        if isinstance(found, Claim):
            self._addresses.pop(address, None)
            self._addresses[address] = None
            if len(self._addresses) > _MOST_ADDRESSES:
                del self._addresses[next(iter(self._addresses))]
            self._refused = ""
            if self.rival is not None:
                self.on_rival()
        elif (sentence := _REFUSED.get(found)) is not None:
            self._refused = self._tell(sentence)

    def _tell(self, sentence: str) -> str:
        """Once, however often it happens."""
        if sentence not in self._told:
            self._told.add(sentence)
            log.warning("Neighbours: %s.", sentence)
        return sentence
