"""Which tokens are banned so that the model cannot open a stage direction.

Pure but for reading its own data, once, when first asked. Three tiers, each with its meaning in `logit_bias.json`
(made by `scripts/make_logit_bias.py` from the model's vocabulary):

    documented   13    the service's own list; "(s", "...(" and their like still get through
    prose        182   every canonical way to open a round bracket in prose
    complete     3,025 no opening round bracket can be written at all (39 kB in every request)

Asterisks are the model's next choice where brackets are banned, so a persona whose feelings come as emoji bans them
too: 70 more tokens with `prose`, 430 with `complete`. The service documents no more than 63 entries, so a refusal of
the size is met by going down a tier (`smaller`). A ban never replaces the text filter behind it: a model can still
spell a bracket in an unusual way below `complete`, and other signs are open in all tiers.

The ids belong to the vocabulary of `qwen.tiktoken`. Nothing proves that the flash and Japanese models share it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

Tier = Literal["documented", "prose", "complete"]

_SMALLER: Mapping[Tier, Tier] = {"complete": "prose", "prose": "documented"}

BANNED = -100
"""The bias that makes a token impossible."""


def bias(tier: Tier, *, asterisks: bool = False) -> dict[str, int]:
    """The request's `logit_bias`: decimal token id -> -100.

    `asterisks` also bans what writes a direction between asterisks; `documented` stays the documented list.
    """
    ids = _sets()[tier]
    if asterisks and tier != "documented":
        ids = sorted({*ids, *_sets()[f"{tier}_asterisks"]})
    return {str(token): BANNED for token in ids}


def smaller(tier: Tier) -> Tier | None:
    """The next tier down, for a service that refuses one this long; None below the smallest."""
    return _SMALLER.get(tier)


@cache
def _sets() -> dict[str, list[int]]:
    data = json.loads(resources.files(__package__).joinpath("logit_bias.json").read_text(encoding="utf-8"))
    return {name: one["ids"] for name, one in data["sets"].items()}
