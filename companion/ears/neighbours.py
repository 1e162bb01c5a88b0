"""Which of several units in one room answers a wake word: the one that heard it best. Pure: the rules and the datagram.

Every unit that hears the word claims it, and tells the others how well it heard it. A unit gives way only to a better
claim that has reached it, and of all claims one is the best. So one alone answers where every message arrives in time,
and whatever is lost or late, the one that heard best answers: rather two than none.

A talk stays where it is: a unit that is in one claims the word for itself, whoever heard it better.

A datagram is signed with a secret that the units share (HMAC-SHA256). It tells when the word was heard and how well,
by a number that is made up at each start, and nothing of who that is or what is said. One that was recorded earlier is
refused by its time and its number, so the units' clocks must agree within `FRESH_S`; where they do not, both answer.

Times called `now` are seconds of a clock that never jumps, `wall` are seconds since 1970.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

PATIENCE_S = 0.08
"""How long a unit that heard its word waits for a better claim."""

SAME_WORD_S = 0.7
"""Claims so far apart may be of one word: a detector needs 0.1 to 0.3 s, an idle microphone delivers up to 0.16 s
later, and Wi-Fi holds back what is sent to all by up to 0.3 s. Nobody says a word twice within it."""

FRESH_S = 60.0
"""By how much the sender's clock may differ."""

MOST_NEIGHBOURS = 64
"""Of so many starts of units the last number is known. Only who has the secret can make it forget one."""

_KIND = b"cmpn\x01"
"""What it is, and the version of this format."""
_FIELDS = struct.Struct("!5s8sIQ8shh?")
"""Kind, sender, number, milliseconds since 1970, word, level, quality, in a talk."""
_SIGNATURE = 32
LENGTH = _FIELDS.size + _SIGNATURE
"""Bytes of every datagram."""

_FRAME = 320
"""20 ms: the pieces whose energy is compared."""
_APART = 8
"""The level is that of differences of samples so far apart, which leaves little of a rumble (`wake_gate`)."""
_BEST_QUALITY = 400
"""Tenths of a dB. A room that is quieter still is no merit of the place: it is the converter's noise."""

Refusal = Literal["unsigned", "clock", "known"]
"""Why a datagram does not count: not signed with this secret, sent at another time, or heard before."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One unit heard the wake word."""

    sender: bytes
    """Eight random bytes, new at each start of that unit."""
    number: int
    """Counts the sender's claims."""
    sent: float
    """Seconds since 1970 by the sender's clock."""
    word: bytes
    """A hash of the word's name, made with the secret."""
    level: int
    """How loud the word was, in tenths of a dB to full scale."""
    quality: int
    """How far that is above the room, in tenths of a dB."""
    in_talk: bool
    """Whether the unit is in a talk with somebody already."""

    @property
    def rank(self) -> tuple[bool, int, bytes]:
        """The greatest one answers. No two claims of different units are equal."""
        return self.in_talk, self.level + self.quality, self.sender


def encode(claim: Claim, key: bytes) -> bytes:
    """The signed datagram."""
    sent = round(claim.sent * 1000)
    body = _FIELDS.pack(_KIND, claim.sender, claim.number, sent, claim.word, claim.level, claim.quality, claim.in_talk)
    return body + hmac.digest(key, body, "sha256")


def decode(datagram: bytes, key: bytes) -> Claim | None:
    """The claim in a datagram; None for anything that was not made with this key. Never raises."""
    if len(datagram) != LENGTH or not datagram.startswith(_KIND):
        return None
    body = datagram[: _FIELDS.size]
    if not hmac.compare_digest(hmac.digest(key, body, "sha256"), datagram[_FIELDS.size :]):
        return None
    _, sender, number, sent, word, level, quality, in_talk = _FIELDS.unpack(body)
    return Claim(sender, number, sent / 1000, word, level, quality, in_talk)


def heard_how_well(pcm: bytes) -> tuple[int, int]:
    """Level and quality of the word at the end of this sound (about 1.5 s at 16 kHz), in tenths of a dB.

    The word is the loudest tenth of it, the room the quietest.
    """
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32768
    change = samples[_APART:] - samples[:-_APART]
    frames = change[len(change) % _FRAME :].reshape(-1, _FRAME)
    if not len(frames):
        return -1000, 0
    # The bit that a converter always has: silence has a level, too.
    energy = np.maximum(np.mean(frames**2, axis=1), 1e-10)
    room, word = np.round(100 * np.log10(np.percentile(energy, [10, 90])))
    return int(word), int(min(word - room, _BEST_QUALITY))


class Claims:
    """The claims of one unit and of those around it."""

    def __init__(self, key: bytes, sender: bytes) -> None:
        """`sender`: eight random bytes, new at each start."""
        self._key = key
        self._sender = sender
        self._next = 0
        self._own: tuple[Claim, float] | None = None
        self._others: dict[bytes, tuple[Claim, float]] = {}
        """The last claim of each, the one heard from last at the end."""

    def claim(self, word: str, level: int, quality: int, *, in_talk: bool, now: float, wall: float) -> bytes:
        """Claim the word that was just heard. Returns the datagram that tells the others."""
        name = hmac.digest(self._key, b"word " + word.encode(), "sha256")[:8]
        own = Claim(self._sender, self._next, wall, name, level, quality, in_talk)
        self._next += 1
        self._own = own, now
        return encode(own, self._key)

    def forget(self) -> None:
        """Drop the own claim: nobody can take it any more."""
        self._own = None

    def take(self, datagram: bytes, *, now: float, wall: float) -> Claim | Refusal:
        """Note the claim in a datagram, or tell why it does not count. Never raises."""
        claim = decode(datagram, self._key)
        if claim is None:
            return "unsigned"
        if abs(claim.sent - wall) > FRESH_S:
            return "clock"
        before = self._others.get(claim.sender)
        if claim.sender == self._sender or (before is not None and claim.number <= before[0].number):
            return "known"
        self._others.pop(claim.sender, None)
        self._others[claim.sender] = claim, now
        if len(self._others) > MOST_NEIGHBOURS:
            del self._others[next(iter(self._others))]
        return claim

    @property
    def rival(self) -> Claim | None:
        """The best claim of the same word, where that is better than the own one; else None."""
        if self._own is None or self._own[0].in_talk:
            return None
        own, at = self._own
        same = [one for one, when in self._others.values() if one.word == own.word and abs(when - at) <= SAME_WORD_S]
        best = max(same, key=lambda one: one.rank, default=own)
        return best if best.rank > own.rank else None
