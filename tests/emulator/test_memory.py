"""What the emulator keeps between requests: long-term memory, the prompt cache, the rate limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.emulator.errors import Refusal
from companion.emulator.limits import Limits, RateLimits
from companion.emulator.memory import BLOCK, KEPT_S, LongTermMemory, PromptCache
from companion.emulator.request import MemoryOptions, Message

DAY_S = 86_400.0


def user(text: str) -> Message:
    return Message("user", text)


def memory() -> LongTermMemory:
    return LongTermMemory(lambda text: len(text.split()))


def options(entries: int = 3, *skip: str) -> MemoryOptions:
    return MemoryOptions("P.", entries, frozenset(skip))


def given_texts(kept: LongTermMemory, new: list[Message], chosen: MemoryOptions, now: float = 0.0) -> list[str]:
    return [message.content for message in kept.recall("a", "s", chosen, new, now).messages]


def test_six_rounds_go_as_the_services_own_table_says() -> None:
    kept, rounds = memory(), []
    for number in range(1, 7):
        rounds.append(given_texts(kept, [user(f"U{number}.")], options()))
        kept.store_answer("a", "s", options(), f"A{number}.")
    first = "U1.\nA1.\nU2."
    second = f"{first}\nA2.\nU3.\nA3."
    third = f"{second}\nU4.\nA4.\nU5."
    assert rounds == [
        ["P.", "U1."],
        ["P.", "U1.", "A1.", "U2."],
        ["P.", first, "U2.", "A2.", "U3."],
        ["P.", first, "U3.", "A3.", "U4."],
        ["P.", second, "U4.", "A4.", "U5."],
        ["P.", third, "U5.", "A5.", "U6."],
    ]
    taken = [[message.content for message in one] for one in kept.summary_sources("a", "s")]
    assert taken == [["U1.", "A1.", "U2."], ["A2.", "U3.", "A3."], ["U4.", "A4.", "U5."]]


def test_the_usage_reports_a_summary_from_the_next_request_on() -> None:
    kept, told = memory(), []
    for number in range(1, 6):
        told.append(dict(kept.recall("a", "s", options(), [user(f"U{number}.")], 0.0).details))
        kept.store_answer("a", "s", options(), f"A{number}.")
    assert told[0] == told[1] == {}
    assert told[2] == told[3] != told[4]
    usage = told[2]["summary_memory_usage"]
    assert told[2]["current_memory_tokens"] == usage["output_tokens"] == 3
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.parametrize(
    ("skip", "later"),
    [
        ("system", ["P.", "U1.", "A1.", "U2."]),
        ("user", ["P.", "X.", "A1.", "U2."]),
        ("output", ["P.", "X.", "U1.", "U2."]),
        ("assistant", ["P.", "X.", "U1.", "A1.", "U2."]),
    ],
)
def test_what_is_not_to_be_saved_is_given_once_and_not_kept(skip: str, later: list[str]) -> None:
    kept = memory()
    once = options(20, skip)
    assert given_texts(kept, [Message("system", "X."), user("U1.")], once) == ["P.", "X.", "U1."]
    kept.store_answer("a", "s", once, "A1.")
    assert given_texts(kept, [user("U2.")], options(20)) == later


def test_an_open_prefix_is_kept_once_with_the_answer_that_completes_it() -> None:
    kept = memory()
    given_texts(kept, [user("U1."), Message("assistant", "Momo:", partial=True)], options(20))
    kept.store_answer("a", "s", options(20), "Momo: A1.")
    assert given_texts(kept, [user("U2.")], options(20)) == ["P.", "U1.", "Momo: A1.", "U2."]


def test_a_session_is_gone_after_a_year_without_use_and_not_before() -> None:
    kept = memory()
    given_texts(kept, [user("U1.")], options(20), now=0.0)
    assert len(given_texts(kept, [user("U2.")], options(20), now=KEPT_S - DAY_S)) == 3
    assert len(given_texts(kept, [user("U3.")], options(20), now=2 * KEPT_S - 2 * DAY_S)) == 4
    assert given_texts(kept, [user("U4.")], options(20), now=3 * KEPT_S) == ["P.", "U4."]


def test_sessions_and_accounts_know_nothing_of_each_other() -> None:
    kept = memory()
    kept.recall("a", "s", options(20), [user("secret")], 0.0)
    for account, session in (("b", "s"), ("a", "t")):
        contents = [m.content for m in kept.recall(account, session, options(20), [user("x")], 0.0).messages]
        assert contents == ["P.", "x"]


@given(
    st.integers(1, 9),
    st.lists(
        st.tuples(st.integers(1, 4), st.sets(st.sampled_from(["system", "user", "output"])), st.booleans()), max_size=25
    ),
)
def test_the_window_holds_for_any_talk(entries: int, rounds: list[tuple[int, set[str], bool]]) -> None:
    kept = memory()
    saved: list[str] = []
    for number, (count, skip, answered) in enumerate(rounds):
        new = [Message("system" if at % 2 else "user", f"m{number}x{at}.") for at in range(count)]
        chosen = MemoryOptions("P.", entries, frozenset(skip))
        recalled = kept.recall("a", "s", chosen, new, float(number))
        profile, *rest = recalled.messages
        wanted = [*saved, *(message.content for message in new)][-entries:]
        assert profile.content == "P."
        contents = [message.content for message in rest]
        # The summary may stand before them, and nothing else.
        assert contents[-len(wanted) :] == wanted
        assert len(contents) - len(wanted) in (0, 1)
        saved += [message.content for message in new if message.role not in skip]
        if answered:
            kept.store_answer("a", "s", chosen, f"a{number}.")
            saved += [] if "output" in skip else [f"a{number}."]
        taken = [message.content for one in kept.summary_sources("a", "s") for message in one]
        assert all(len(one) == entries for one in kept.summary_sources("a", "s"))
        assert taken == saved[: len(taken)], "in order, each once"


def test_a_summary_keeps_within_its_limit() -> None:
    kept = LongTermMemory(lambda text: len(text.split()), summary_tokens=20)
    for number in range(200):
        recalled = kept.recall("a", "s", options(3), [user(f"This is sentence {number}.")], 0.0)
        assert recalled.details.get("current_memory_tokens", 0) <= 20
    assert "199" in recalled.messages[-1].content
    assert "This is sentence 1." not in recalled.messages[1].content


# The session cache


def test_a_repeated_prompt_of_163_tokens_has_160_in_the_cache() -> None:
    cache = PromptCache()
    assert cache.count_hits("a", "m", "s", range(163)) == 0
    assert cache.count_hits("a", "m", "s", range(163)) == 160


def test_the_last_token_is_never_cached_and_no_half_block() -> None:
    cache = PromptCache()
    for length, hit in ((16, 0), (17, 16), (32, 16), (33, 32)):
        cache.count_hits("a", "m", f"s{length}", range(length))
        assert cache.count_hits("a", "m", f"s{length}", range(length)) == hit


def test_only_the_same_account_model_and_session_share_a_cache() -> None:
    cache = PromptCache()
    cache.count_hits("a", "m", "s", range(100))
    for key in (("b", "m", "s"), ("a", "n", "s"), ("a", "m", "t"), ("a", "m", None)):
        assert cache.count_hits(*key, range(100)) == 0
    assert cache.count_hits("a", "m", "s", range(100)) == 96


def test_without_a_session_there_is_the_implicit_cache_from_its_least_on() -> None:
    cache = PromptCache(implicit_minimum=256)
    cache.count_hits("a", "m", None, range(1000))
    assert cache.count_hits("a", "m", None, range(200)) == 0
    assert cache.count_hits("a", "m", None, range(300)) == 288


@given(st.lists(st.integers(0, 2), max_size=120), st.lists(st.integers(0, 2), max_size=120), st.integers(0, 100))
def test_the_hit_is_the_common_beginning_in_blocks(first: list[int], second: list[int], same: int) -> None:
    second = first[:same] + second
    cache = PromptCache()
    cache.count_hits("a", "m", "s", first)
    common = next(
        (at for at, (x, y) in enumerate(zip(first, second, strict=False)) if x != y), min(len(first), len(second))
    )
    assert cache.count_hits("a", "m", "s", second) == max(0, min(common, len(second) - 1)) // BLOCK * BLOCK


# Rate limits


def refused(limits: RateLimits, now: float, model: str = "m") -> str:
    refusal = limits.admit(model, now)
    return refusal.error.code if isinstance(refusal, Refusal) else ""


def test_two_a_second_and_each_model_by_itself() -> None:
    limits = RateLimits(Limits())
    assert [refused(limits, 0.0), refused(limits, 0.5), refused(limits, 0.9)] == ["", "", "Throttling.RateQuota"]
    assert refused(limits, 0.9, "other") == ""
    assert refused(limits, 1.1) == ""


def test_120_a_minute() -> None:
    limits = RateLimits(Limits(requests_per_second=1000))
    assert [refused(limits, at / 10) for at in range(121)] == [*[""] * 120, "Throttling.RateQuota"]
    assert refused(limits, 60.05) == ""


def test_too_many_tokens_a_minute_look_like_no_money_and_pass() -> None:
    limits = RateLimits(Limits())
    limits.count_tokens("m", 500_000, 0.0)
    refusal = limits.admit("m", 1.0)
    assert refusal is not None
    assert refusal.openai("x")["error"]["code"] == "insufficient_quota"
    assert refusal.dashscope("x")["code"] == "Throttling.AllocationQuota"
    assert refused(limits, 60.0) == ""


def test_without_limits_everything_is_let_in() -> None:
    limits = RateLimits(None)
    assert [refused(limits, 0.0) for _ in range(1000)] == [""] * 1000


@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_second_ever_lets_in_a_third(pauses: list[float]) -> None:
    limits, now, admitted = RateLimits(Limits()), 0.0, []
    for pause in pauses:
        now += pause
        if not refused(limits, now):
            admitted.append(now)
    assert all(later - earlier >= 1 for earlier, later in zip(admitted, admitted[2:], strict=False))
