"""Who may use the owner's page: pairing with a code, then a PIN, then a session. On the loop of the page's server.

A telephone is paired with a code that the unit shows or says when its owner opens the page; the code works once. A
paired telephone may try PINs, one at a time, with growing waits (`waits`). Sessions are short, are bound to telephone,
address and browser, and live in memory only: a restart ends them. Only hashes of secrets are kept anywhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from companion.errors import CompanionError
from companion.owner import pin as pins
from companion.owner.owner_file import MOST_TELEPHONES, Kept, OwnerFile, Telephone
from companion.owner.waits import FREE_OF_ALL, LONGEST_OF_ALL_S, Waits

IDLE_S = 15 * 60.0
LONGEST_S = 8 * 3600.0
CODE_S = 10 * 60.0
"""A pairing code works for so long."""
MOST_GUESSES = 10
"""After so many wrong digits these digits work no more; the QR code still does."""
MOST_SESSIONS = 16


class Refused(CompanionError):
    """Somebody is not let in. `why` is a key of the page's texts, `seconds` what they have to wait."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.seconds = why, seconds


@dataclass(frozen=True, slots=True)
class Code:
    """What pairs one telephone, once."""

    token: str
    """For the QR code."""
    digits: str
    """For fingers: eight digits."""


@dataclass(slots=True)
class Session:
    """One signed-in browser."""

    id: str
    digest: bytes
    telephone: Telephone
    peer: str
    agent: str
    began: float
    used: float
    since: str
    """When it began, local time, as it is shown."""


@dataclass(slots=True)
class _Pairing:
    code: Code
    until: float
    guesses: int = 0


@dataclass(slots=True)
class Access:
    """See the head of this file. `now` is a monotonic clock, `today` the local one, for people."""

    file: OwnerFile
    now: Callable[[], float]
    today: Callable[[], datetime]
    sessions: list[Session] = field(default_factory=list)
    kept: Kept = field(init=False)
    _pairing: _Pairing | None = field(init=False, default=None)
    _of_all: Waits = field(init=False)
    _waits: dict[str, Waits] = field(init=False)
    _one_at_a_time: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Raises `CompanionError` where what is kept is damaged."""
        self.kept = self.file.read()
        self._of_all = Waits(self.kept.failures, FREE_OF_ALL, LONGEST_OF_ALL_S, self.now())
        self._waits = {one.id: Waits(one.failures, since=self.now()) for one in self.kept.telephones}

    @property
    def has_pin(self) -> bool:
        """Whether a PIN was chosen."""
        return self.kept.pin is not None

    def new_code(self) -> Code:
        """A new code; the one before works no more."""
        digits = f"{secrets.randbelow(10**8):08d}"
        self._pairing = _Pairing(Code(secrets.token_urlsafe(24), digits), self.now() + CODE_S)
        return self._pairing.code

    def pair(self, said: str, name: str) -> str:
        """Pair a telephone that knows the code; returns its secret. Raises `Refused`."""
        pairing, said = self._pairing, said.strip()
        if pairing is None or self.now() > pairing.until:
            raise Refused("code_over")
        right = hmac.compare_digest(said.encode(), pairing.code.token.encode())
        if not right and pairing.guesses < MOST_GUESSES:
            pairing.guesses += 1
            digits = "".join(one for one in said if one.isdecimal())[:16]
            right = hmac.compare_digest(digits.encode(), pairing.code.digits.encode())
        if not right:
            raise Refused("code_over" if pairing.guesses >= MOST_GUESSES else "code_wrong")
        self._pairing = None
        secret = secrets.token_urlsafe(32)
        new = Telephone(secrets.token_hex(8), _digest(secret).hex(), name, f"{self.today():%Y-%m-%d %H:%M}")
        self.kept.telephones.append(new)
        for old in self.kept.telephones[:-MOST_TELEPHONES]:
            self._end_sessions(lambda one, old=old: one.telephone.id == old.id)  # type: ignore[misc]
        del self.kept.telephones[:-MOST_TELEPHONES]
        self._waits[new.id] = Waits(since=self.now())
        self.file.write(self.kept)
        return secret

    def telephone(self, secret: str) -> Telephone | None:
        """The paired telephone with this secret."""
        digest = _digest(secret).hex()
        return next((one for one in self.kept.telephones if hmac.compare_digest(one.digest, digest)), None)

    async def choose_pin(self, pin: str) -> None:
        """Keep this PIN, the first one or another; all sessions but the caller's end elsewhere. Raises `Refused`."""
        if fault := pins.fault_of(pin):
            raise Refused(f"pin_{fault}")
        async with self._one_at_a_time:
            self.kept.pin = await asyncio.to_thread(pins.keep, pin)
            self.file.write(self.kept)

    async def check_pin(self, telephone: Telephone, pin: str) -> None:
        """Return where it is right. Raises `Refused`, with the wait before the next one is looked at.

        What is refused because of a wait costs nothing and is not counted; what is looked at counts before it is.
        """
        async with self._one_at_a_time:
            own, now = self._waits[telephone.id], self.now()
            if left := max(own.left(now), self._of_all.left(now)):
                raise Refused("wait", left)
            if self.kept.pin is None:
                raise Refused("no_pin")
            own.attempt(now)
            self._of_all.attempt(now)
            self._keep_failures(telephone, own)
            if not await asyncio.to_thread(pins.is_right, pin, self.kept.pin):
                raise Refused("pin_wrong", max(own.left(now), self._of_all.left(now)))
            own.succeed()
            self._of_all.succeed()
            self._keep_failures(telephone, own)

    def begin_session(self, telephone: Telephone, peer: str, agent: str) -> str:
        """A new session of somebody whose PIN was right; returns its secret."""
        secret, now = secrets.token_urlsafe(32), self.now()
        self._end_sessions(lambda one: not self._lives(one) or (one.telephone is telephone and one.agent == agent))
        since = f"{self.today():%Y-%m-%d %H:%M}"
        self.sessions.append(Session(secrets.token_hex(8), _digest(secret), telephone, peer, agent, now, now, since))
        del self.sessions[:-MOST_SESSIONS]
        return secret

    def session(self, secret: str, telephone: Telephone, peer: str, agent: str) -> Session | None:
        """The living session with this secret, of this telephone, address and browser."""
        digest = _digest(secret)
        for one in self.sessions:
            if hmac.compare_digest(one.digest, digest):
                if self._lives(one) and (one.telephone.id, one.peer, one.agent) == (telephone.id, peer, agent):
                    one.used = self.now()
                    return one
                # Whoever brings it from elsewhere has stolen it.
                self.sessions.remove(one)
                return None
        return None

    def living(self) -> list[Session]:
        """Those who are signed in, the newest first."""
        return [one for one in reversed(self.sessions) if self._lives(one)]

    @property
    def is_used(self) -> bool:
        """Whether anybody is signed in."""
        return any(map(self._lives, self.sessions))

    def end(self, session: str) -> None:
        """Sign one session out, by its id."""
        self._end_sessions(lambda one: one.id == session)

    def end_all(self, but: Session | None = None) -> None:
        """Sign everybody out."""
        self._end_sessions(lambda one: one is not but)

    def forget_telephone(self, number: str) -> None:
        """It has to be paired anew."""
        self._end_sessions(lambda one: one.telephone.id == number)
        self.kept.telephones = [one for one in self.kept.telephones if one.id != number]
        self.file.write(self.kept)

    def _lives(self, one: Session) -> bool:
        now = self.now()
        return now - one.used < IDLE_S and now - one.began < LONGEST_S

    def _end_sessions(self, which: Callable[[Session], bool]) -> None:
        self.sessions = [one for one in self.sessions if not which(one)]

    def _keep_failures(self, telephone: Telephone, own: Waits) -> None:
        telephone.failures, self.kept.failures = own.failures, self._of_all.failures
        self.file.write(self.kept)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
