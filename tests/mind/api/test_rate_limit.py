"""The account's limits: no second and no minute ever holds more than it may, and nobody waits longer than needed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.rate_limit import BackOff, RateLimiter


def test_the_first_requests_go_at_once_and_the_third_waits_for_the_next_second() -> None:
    rate_limiter = RateLimiter(2.0)
    waits = [place.wait_s for _ in range(5) if (place := rate_limiter.reserve(100.0))]
    assert waits[:2] == [0, 0]
    assert waits[2:4] == pytest.approx([1.05, 1.05])
    assert waits[4] == pytest.approx(2.1)
    later = rate_limiter.reserve(110.0)
    assert later is not None
    assert later.wait_s == 0


def test_a_slow_account_sends_one_in_a_longer_time() -> None:
    rate_limiter = RateLimiter(0.5)
    first, second = rate_limiter.reserve(0.0), rate_limiter.reserve(0.0)
    assert first is not None
    assert second is not None
    assert [first.wait_s, second.wait_s] == pytest.approx([0, 2.1])


def test_who_cannot_wait_takes_no_place() -> None:
    rate_limiter = RateLimiter(1.0)
    assert rate_limiter.reserve(0.0)
    assert rate_limiter.reserve(0.0, within_s=0.5) is None
    assert rate_limiter.reserve(0.0, within_s=0.5) is None
    place = rate_limiter.reserve(0.9, within_s=0.5)
    assert place is not None
    assert place.wait_s == pytest.approx(0.15)


def test_a_place_that_is_given_back_is_free() -> None:
    rate_limiter = RateLimiter(1.0)
    rate_limiter.reserve(0.0)
    unused = rate_limiter.reserve(0.0)
    assert unused is not None
    rate_limiter.release(unused)
    again = rate_limiter.reserve(0.0)
    assert again is not None
    assert again.wait_s == unused.wait_s


def test_tokens_of_a_minute_are_kept_too() -> None:
    rate_limiter = RateLimiter(10.0, tokens_per_minute=1000)
    first = rate_limiter.reserve(0.0, 700)
    assert first is not None
    assert rate_limiter.reserve(0.0, 400, within_s=60) is None
    rate_limiter.settle(first, 500)
    second = rate_limiter.reserve(1.0, 400, within_s=60)
    assert second is not None
    assert second.wait_s == 0
    third = rate_limiter.reserve(2.0, 400)
    assert third is not None
    assert third.wait_s == pytest.approx(61)


def test_a_request_larger_than_the_budget_goes_when_nothing_else_counts() -> None:
    rate_limiter = RateLimiter(10.0, tokens_per_minute=1000)
    first, second = rate_limiter.reserve(0.0, 5000), rate_limiter.reserve(0.0, 5000)
    assert first is not None
    assert second is not None
    assert [first.wait_s, second.wait_s] == pytest.approx([0, 63])


@given(
    rate=st.sampled_from([0.3, 1.0, 2.0, 2.5, 7.0]),
    asked=st.lists(st.tuples(st.floats(0, 5), st.integers(0, 400), st.booleans()), max_size=40),
)
def test_no_window_ever_holds_too_much(rate: float, asked: list[tuple[float, int, bool]]) -> None:
    rate_limiter = RateLimiter(rate, tokens_per_minute=1000)
    sent: list[tuple[float, int]] = []
    now = 0.0
    for later, tokens, given_back in asked:
        now += later
        place = rate_limiter.reserve(now, tokens)
        assert place is not None
        if given_back:
            rate_limiter.release(place)
        else:
            sent.append((now + place.wait_s, tokens))
            # Whoever waits does nothing else meanwhile.
            now += place.wait_s
    assert sent == sorted(sent, key=lambda one: one[0])
    most = max(1, int(rate))
    for (early, _), (late, _) in zip(sent, sent[most:], strict=False):
        assert late - early > most / rate
    for (at, _), number in zip(sent, itertools.count()):
        minute = [tokens for time, tokens in sent[: number + 1] if time > at - 60]
        assert sum(minute) <= 1000 or len(minute) == 1


def test_the_back_off_doubles_up_to_a_minute() -> None:
    longest = BackOff(lambda: 1.0)
    assert [longest.wait_s(failures) for failures in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [BackOff(lambda: 0.0).wait_s(failures) for failures in (1, 2, 3)] == [0.5, 1, 2]
    assert BackOff(lambda: 1.0, first_s=0.25, longest_s=0.5).wait_s(9) == 0.5


@given(failures=st.integers(1, 10**6), chance=st.floats(0, 1))
def test_the_back_off_is_never_nothing_and_never_more_than_a_minute(failures: int, chance: float) -> None:
    assert 0.5 <= BackOff(lambda: chance).wait_s(failures) <= 60
