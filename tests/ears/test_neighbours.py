"""The rules between units in one room, and their datagram."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.ears.neighbours import (
    FRESH_S,
    LENGTH,
    MOST_NEIGHBOURS,
    SAME_WORD_S,
    Claim,
    Claims,
    decode,
    encode,
    heard_how_well,
)
from tests.support.room import spoken

KEY = b"a-secret-of-four-words"
WALL = 1_800_000_000.0
SENDERS = st.binary(min_size=8, max_size=8)
CLAIMS = st.builds(
    Claim,
    sender=SENDERS,
    number=st.integers(0, 2**32 - 1),
    sent=st.integers(0, 2**41).map(lambda ms: ms / 1000),
    word=st.binary(min_size=8, max_size=8),
    level=st.integers(-1000, 0),
    quality=st.integers(0, 400),
    in_talk=st.booleans(),
)


def unit(number: int, key: bytes = KEY) -> Claims:
    return Claims(key, number.to_bytes(8, "big"))


def claimed(one: Claims, level: int = -300, quality: int = 200, *, at: float = 0.0, **how: bool) -> bytes:
    return one.claim("okay_nabu", level, quality, in_talk=how.get("in_talk", False), now=at, wall=WALL + at)


def taken(one: Claims, datagram: bytes, *, at: float = 0.0) -> Claim | str:
    return one.take(datagram, now=at, wall=WALL + at)


@given(claim=CLAIMS)
def test_a_claim_arrives_as_it_was_sent(claim: Claim) -> None:
    datagram = encode(claim, KEY)
    assert len(datagram) == LENGTH
    assert decode(datagram, KEY) == claim


@given(claim=CLAIMS, place=st.integers(0, LENGTH - 1), bits=st.integers(1, 255))
def test_whatever_is_changed_in_a_datagram_it_counts_no_more(claim: Claim, place: int, bits: int) -> None:
    datagram = bytearray(encode(claim, KEY))
    datagram[place] ^= bits
    assert decode(bytes(datagram), KEY) is None


@given(datagram=st.one_of(st.binary(max_size=200), st.binary(min_size=LENGTH, max_size=LENGTH)))
def test_any_bytes_are_taken_and_count_for_nothing(datagram: bytes) -> None:
    one = unit(1)
    claimed(one)
    assert taken(one, datagram) == "unsigned"
    assert one.rival is None


@given(claim=CLAIMS)
def test_whatever_was_signed_is_taken(claim: Claim) -> None:
    one = unit(1)
    claimed(one)
    assert taken(one, encode(claim, KEY)) in ("clock", "known", claim)


def test_nothing_of_the_word_or_the_secret_stands_in_a_datagram() -> None:
    datagram = claimed(unit(1))
    assert b"nabu" not in datagram
    assert KEY not in datagram


def test_units_with_other_secrets_or_words_do_not_compete() -> None:
    one, stranger, namesake = unit(1), unit(2, b"another secret 123"), unit(3)
    claimed(one)
    assert taken(one, claimed(stranger, level=-10)) == "unsigned"
    taken(one, namesake.claim("alexa", -10, 300, in_talk=False, now=0, wall=WALL))
    assert one.rival is None


def test_a_datagram_counts_once() -> None:
    one, other = unit(1), unit(2)
    first, second = claimed(other), claimed(other)
    assert isinstance(taken(one, second), Claim)
    assert taken(one, second, at=3.0) == "known"
    # The first one was kept back and is sent now.
    assert taken(one, first, at=3.0) == "known"
    claimed(one, level=-900, at=3.0)
    assert one.rival is None


@pytest.mark.parametrize("away", [FRESH_S + 1, -FRESH_S - 1])
def test_a_datagram_of_another_time_is_refused(away: float) -> None:
    one, other = unit(1), unit(2)
    assert taken(one, claimed(other), at=away) == "clock"
    assert isinstance(taken(one, claimed(other, at=away), at=away), Claim)


def test_its_own_claim_comes_back_and_is_no_rival() -> None:
    one = unit(1)
    assert taken(one, claimed(one)) == "known"
    assert one.rival is None


def test_more_neighbours_than_it_can_know() -> None:
    one = unit(1)
    for number in range(3 * MOST_NEIGHBOURS):
        assert isinstance(taken(one, claimed(unit(100 + number), level=-number)), Claim)
    claimed(one, level=-900)
    rival = one.rival
    assert rival is not None
    assert rival.level == -2 * MOST_NEIGHBOURS


@pytest.mark.parametrize(
    ("after", "yields"), [(-SAME_WORD_S - 0.01, False), (-0.3, True), (0.3, True), (SAME_WORD_S + 0.01, False)]
)
def test_only_claims_of_about_the_same_time_are_of_the_same_word(after: float, yields: bool) -> None:
    one, better = unit(1), unit(2)
    if after > 0:
        claimed(one, level=-900, at=10.0)
    taken(one, claimed(better, at=10.0 + after), at=10.0 + after)
    if after < 0:
        claimed(one, level=-900, at=10.0)
    assert (one.rival is not None) is yields


def test_a_talk_stays_where_it_is() -> None:
    talking, near = unit(1), unit(2)
    mine, better = claimed(talking, level=-600, in_talk=True), claimed(near, level=-100)
    taken(talking, better)
    taken(near, mine)
    assert talking.rival is None
    assert near.rival is not None
    assert near.rival.in_talk


def test_two_that_are_in_talks_both_keep_them() -> None:
    one, better = unit(1), unit(2)
    claimed(one, level=-900, in_talk=True)
    taken(one, claimed(better, in_talk=True))
    assert one.rival is None


def test_what_was_forgotten_has_no_rival() -> None:
    one, better = unit(1), unit(2)
    claimed(one, level=-900)
    one.forget()
    taken(one, claimed(better))
    assert one.rival is None


@st.composite
def rooms(draw: st.DrawFn) -> tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]]:
    """Units, each with level, quality and the time of its claim; and the order in which their messages arrive: from,
    to, when."""
    units = draw(
        st.lists(st.tuples(st.integers(-400, -390), st.integers(200, 205), st.floats(0, 0.3)), min_size=1, max_size=5)
    )
    ways = [(a, b) for a in range(len(units)) for b in range(len(units)) if a != b]
    delays = draw(st.lists(st.floats(0, 0.3), min_size=len(ways), max_size=len(ways)))
    messages = [(a, b, units[a][2] + delay) for (a, b), delay in zip(ways, delays, strict=True)]
    return units, messages


def answering(
    units: list[tuple[int, int, float]], messages: list[tuple[int, int, float]]
) -> tuple[list[int], list[Claim]]:
    """Which units answer in the end, and the claims of all. What happens at one time happens in any order."""
    claims = [unit(1000 - number) for number in range(len(units))]
    datagrams = [claimed(one, level, quality, at=at) for one, (level, quality, at) in zip(claims, units, strict=True)]
    claims = [unit(1000 - number) for number in range(len(units))]
    steps = [(at, -1, number) for number, (_, _, at) in enumerate(units)]
    steps += [(when, sender, to) for sender, to, when in messages]
    for at, sender, to in sorted(steps):
        if sender < 0:
            level, quality, _ = units[to]
            assert claimed(claims[to], level, quality, at=at) == datagrams[to]
        else:
            taken(claims[to], datagrams[sender], at=at)
    decoded = [decode(one, KEY) for one in datagrams]
    return [number for number, one in enumerate(claims) if one.rival is None], [one for one in decoded if one]


@given(room=rooms())
def test_whatever_order_the_messages_arrive_in_exactly_one_answers(
    room: tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]],
) -> None:
    answers, claims = answering(*room)
    assert answers == [max(range(len(claims)), key=lambda number: claims[number].rank)]


@given(room=rooms(), data=st.data())
def test_whatever_is_lost_the_best_one_answers(
    room: tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]], data: st.DataObject
) -> None:
    units, messages = room
    kept = [one for one in messages if data.draw(st.booleans())]
    answers, claims = answering(units, kept)
    assert max(range(len(claims)), key=lambda number: claims[number].rank) in answers


def test_level_and_quality_are_those_of_the_word_and_of_the_room() -> None:
    level, quality = heard_how_well(spoken(3000, 100))
    # White noise of 3000: 21 dB below full scale; its differences have twice the energy.
    assert level == pytest.approx(-208 + 30, abs=10)
    assert quality == pytest.approx(295, abs=15)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_twice_as_far_away_is_heard_less_well(seed: int) -> None:
    near, far = heard_how_well(spoken(2000, 50, seed)), heard_how_well(spoken(1000, 50, seed + 1))
    assert near[0] - far[0] == pytest.approx(60, abs=15)
    assert sum(near) > sum(far)


def test_beside_a_fan_is_heard_less_well() -> None:
    quiet, loud = heard_how_well(spoken(2000, 50)), heard_how_well(spoken(2000, 500))
    assert sum(quiet) > sum(loud)


@given(pcm=st.binary(max_size=2000))
def test_any_sound_has_a_level_that_fits_into_a_claim(pcm: bytes) -> None:
    level, quality = heard_how_well(pcm)
    claim = replace(Claim(bytes(8), 0, 0.0, bytes(8), 0, 0, in_talk=False), level=level, quality=quality)
    assert decode(encode(claim, KEY), KEY) == claim
