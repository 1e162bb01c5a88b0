"""The service's models: size limits, prices, rate limits and addresses, by region.

Pure but for reading `models.toml`, once. Limits and prices are unknown (None) for every other model, such as one behind
llama.cpp. Money is counted in whole millionths of the region's currency.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal
from urllib.parse import urlsplit

from companion.mind.api.messages import Protocol

Region = Literal["international", "china"]


@dataclass(frozen=True, slots=True)
class Model:
    """One model in one region."""

    name: str
    region: Region
    currency: str
    """ISO 4217, of the prices."""

    context: int | None = None
    """Tokens of the request and the answer together."""

    most_input: int | None = None
    """Tokens of the request."""

    most_output: int | None = None
    """Tokens of an answer: the largest `max_tokens`."""

    price_in: Decimal | None = None
    """Of a million tokens."""

    price_out: Decimal | None = None
    cached_share: Decimal = Decimal(1)
    """What a cached token costs, as a share of `price_in`."""

    requests_per_minute: int | None = None
    """Of the whole account; enforced a second at a time."""

    tokens_per_minute: int | None = None
    """Of the whole account, requests and answers together."""

    note: str = ""
    """What else was published."""


def find(name: str, region: Region) -> Model:
    """The model of that name, with unknown limits where the region is not known to have it."""
    known = _models().get((name, region)) or _models().get((without_date(name), region))
    if known is None:
        return Model(name, region, _data()["regions"][region]["currency"])
    return replace(known, name=name)


def without_date(name: str) -> str:
    """The name of the model that a dated snapshot is of: `qwen-plus-character` of `qwen-plus-character-2025-11-06`."""
    return re.sub(r"-\d{4}-\d{2}-\d{2}$", "", name)


def names() -> list[str]:
    """Every model that is known."""
    return sorted({name for name, _ in _models()})


def regions_of(name: str) -> list[Region]:
    """Where the model is known to be sold, or the one that it is a snapshot of; empty for an unknown one."""
    known = _models()
    return [one.region for wanted in (name, without_date(name)) for one in known.values() if one.name == wanted]


def base_url(region: Region, protocol: Protocol) -> str:
    """Where the region's route begins."""
    url: str = _data()["regions"][region][protocol]
    return url


def price(model: Model, prompt: int, cached: int, completion: int) -> int | None:
    """What a request costs, in millionths of `model.currency`, rounded up; None where no price is known.

    `cached` tokens are a part of `prompt`.
    """
    if model.price_in is None or model.price_out is None:
        return None
    cached = min(cached, prompt)
    # A millionth of the price of a million tokens is the price of one.
    full = (prompt - cached + cached * model.cached_share) * model.price_in + completion * model.price_out
    return int(full.to_integral_value(ROUND_CEILING))


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("models.toml").read_text(encoding="utf-8"))


@cache
def _models() -> Mapping[tuple[str, str], Model]:
    data = _data()
    share = Decimal(data["cached_share"])
    models = {}
    for row in data["models"]:
        prices = {key: Decimal(row[key]) for key in ("price_in", "price_out")}
        currency = data["regions"][row["region"]]["currency"]
        models[row["name"], row["region"]] = Model(**{**row, **prices}, currency=currency, cached_share=share)
    return models


_OWN_HOSTS = (".aliyuncs.com", ".aliyun.com", ".qwenai.com", ".qwencloud.com")


def is_own_host(base_url: str) -> bool:
    """Whether the address belongs to the service itself, not to another server that speaks its protocol."""
    host = urlsplit(base_url).hostname or ""
    return f".{host}".endswith(_OWN_HOSTS)
