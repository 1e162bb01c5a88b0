"""The data of the service's models: limits, prices, addresses; and what is known of others: nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.models import Region, base_url, find, price
from companion.mind.api.parser import Protocol

PLUS = "qwen-plus-character"


@pytest.mark.parametrize(
    ("name", "region", "limits"),
    [
        (PLUS, "international", (32_768, 30_000, 4_000)),
        (PLUS, "china", (32_768, 32_000, 4_096)),
        ("qwen-flash-character", "international", (8_192, 8_000, 4_096)),
        ("qwen-flash-character", "china", (8_192, 8_000, 4_096)),
        ("qwen-plus-character-ja", "international", (8_192, 7_680, 512)),
        ("qwen-flash-character-2026-02-26", "china", (8_192, 8_000, 4_096)),
        ("llama-3-8b", "international", (None, None, None)),
        ("qwen-plus-character-ja", "china", (None, None, None)),
    ],
)
def test_limits(name: str, region: Region, limits: tuple[int | None, ...]) -> None:
    model = find(name, region)
    assert (model.context, model.most_input, model.most_output) == limits
    assert model.requests_per_minute == (120 if model.context else None)
    assert model.tokens_per_minute == (500_000 if model.context else None)


@pytest.mark.parametrize(
    ("name", "region", "cost", "currency"),
    [
        # A million tokens of the prompt, none of them cached, and a million of the answer.
        (PLUS, "international", 1_900_000, "USD"),
        (PLUS, "china", 2_800_000, "CNY"),
        ("qwen-flash-character", "international", 450_000, "USD"),
        ("qwen-flash-character", "china", 1_750_000, "CNY"),
        ("qwen-plus-character-ja", "international", 1_900_000, "USD"),
        ("qwen-flash-character-2026-02-26", "china", 1_680_000, "CNY"),
    ],
)
def test_prices(name: str, region: Region, cost: int, currency: str) -> None:
    model = find(name, region)
    assert price(model, 1_000_000, 0, 1_000_000) == cost
    assert model.currency == currency


def test_a_cached_token_costs_a_fifth() -> None:
    assert price(find(PLUS, "international"), 1_000_000, 1_000_000, 0) == 100_000
    assert price(find(PLUS, "international"), 4_091, 3_024, 45) == 899


def test_a_cost_is_rounded_up() -> None:
    assert price(find(PLUS, "international"), 1, 0, 0) == 1
    assert price(find(PLUS, "international"), 0, 0, 0) == 0


def test_what_has_no_price_has_no_cost() -> None:
    assert price(find("llama-3-8b", "international"), 1000, 0, 1000) is None


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**5))
def test_more_tokens_never_cost_less_and_cached_ones_never_more(prompt: int, cached: int, completion: int) -> None:
    model = find(PLUS, "china")
    full, saved = price(model, prompt, 0, completion), price(model, prompt, cached, completion)
    more = price(model, prompt + 1, 0, completion + 1)
    assert full is not None
    assert saved is not None
    assert more is not None
    assert 0 <= saved <= full < more


@pytest.mark.parametrize(
    ("region", "protocol", "url"),
    [
        ("international", "openai", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
        ("international", "dashscope", "https://dashscope-intl.aliyuncs.com/api/v1"),
        ("china", "openai", "https://dashscope.aliyuncs.com/compatible-mode/v1"),
        ("china", "dashscope", "https://dashscope.aliyuncs.com/api/v1"),
    ],
)
def test_addresses(region: Region, protocol: Protocol, url: str) -> None:
    assert base_url(region, protocol) == url
