"""What the server understands beside the plain chat, and the ban list that it takes.

The service has it all, but any OpenAI-compatible server may stand in its place. What such a server refuses is left out
from then on, as long as the process lives, and the log says so once. A refusal mostly names the field; a server that is
not the service may refuse without saying why, so there the extras go one after the other, until it answers. Some call
what they cannot read a fault of their own (500): where that comes twice in a row the extras go too, for trial.

The ban list names tokens of the service's vocabulary. On another server it is sent only to a model that shares it, as
far as its name tells; elsewhere it would ban words at random.

Which tokens are banned so that the model cannot open a stage direction.

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
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Literal

from companion.mind.api.errors import Refusal, fields_named
from companion.mind.api.parser import Encoded, Protocol, Refused, Request, encoded
from companion.mind.prompt import without_partial

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


log = logging.getLogger("companion")

Feature = Literal["logit_bias", "stream_options", "seed", "n", "partial", "character_options"]
FEATURES: tuple[Feature, ...] = ("logit_bias", "stream_options", "seed", "n", "partial", "character_options")
"""In the order in which they are left out: what is missed least first."""

_MAY_LACK = frozenset({400, 404, 422, 500, 501})
"""Statuses with which servers refuse a field that they do not know."""


class Features:
    """Of one server and one model."""

    def __init__(self, tier: Tier | None, *, asterisks: bool, foreign: bool, model: str) -> None:
        """`tier` is the ban list, which also bans asterisks if told so; `foreign`: it is not the service itself."""
        self._foreign = foreign
        self._asterisks = asterisks
        self._lacking: set[Feature] = set()
        self._faults = 0
        """Answers in a row that were a fault of the server's own."""
        self._suspects: list[Feature] = []
        """Left out because of those, as long as no answer shows that it helped."""
        self._tier: Tier | None = None
        self._bias: dict[str, int] | None = None
        self._ban(None if foreign and "qwen" not in model.casefold() else tier)

    def lacks(self, feature: Feature) -> bool:
        """Whether the server is known not to have it."""
        return feature in self._lacking or feature in self._suspects

    def answered(self, service: str) -> None:
        """The server has answered what was sent last."""
        if self._suspects:
            named = ", ".join(f"`{feature}`" for feature in self._suspects)
            log.warning("%s fails on %s; that is left out from now on.", service, named)
            self._lacking.update(self._suspects)
        self._faults, self._suspects = 0, []

    def fitted(self, request: Request) -> Request:
        """The request with the ban list, and without what the server lacks."""
        n = 1 if self.lacks("n") else request.n
        return replace(
            request,
            logit_bias=None if self.lacks("logit_bias") else self._bias,
            seed=None if self.lacks("seed") else request.seed,
            n=n,
            # Of several answers none can be said before it is chosen; one is said as it comes.
            stream=request.stream or (request.n > 1 and n == 1),
            messages=tuple(without_partial(request.messages)) if self.lacks("partial") else request.messages,
        )

    def encoded(self, protocol: Protocol, request: Request) -> Encoded:
        """The request as it is sent."""
        sent = encoded(protocol, request)
        if self.lacks("stream_options") and protocol == "openai" and request.stream:
            body = json.loads(sent.body)
            body.pop("stream_options", None)
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            return replace(sent, body=text.encode("utf-8", "replace"))
        return sent

    def give_up(self, refused: Refused, meaning: Refusal, request: Request, service: str) -> bool:
        """Leave out what this refusal is about. False where it is about something else."""
        used = tuple(feature for feature in _used(request) if not self.lacks(feature))
        named = fields_named(refused, used)
        if self._foreign and refused.status == 500 and not named and not _of_the_service(refused):
            return self._suspect(used)
        if self._tier is not None and ("logit_bias" in named or refused.status == 413):
            log.warning("%s refuses the ban list `%s`; a smaller one is used from now on.", service, self._tier)
            self._ban(None if self._foreign else smaller(self._tier))
            return True
        if refused.status not in _MAY_LACK or meaning.kind in ("moderated", "too_long", "model", "unpaid", "key"):
            return False
        lacking = [feature for feature in used if feature in named]
        if not lacking and self._foreign and meaning.kind in ("parameter", "unknown"):
            lacking = list(used[:1])
        for feature in lacking:
            log.warning("%s does not know `%s`; it is left out from now on.", service, feature)
            self._lacking.add(feature)
            if feature == "logit_bias":
                self._ban(None)
        return bool(lacking)

    def _suspect(self, used: Sequence[Feature]) -> bool:
        """Leave out one more after a second fault in a row; all are taken back where that does not help."""
        self._faults += 1
        if self._faults == 1:
            return False
        if not used:
            self._faults, self._suspects = 0, []
            return False
        self._suspects.append(used[0])
        return True

    def _ban(self, tier: Tier | None) -> None:
        """Use this ban list from now on."""
        self._tier = tier
        self._bias = bias(tier, asterisks=self._asterisks) if tier else None


def _of_the_service(refused: Refused) -> bool:
    """Whether the fault has one of the service's own names: whoever says that understands its requests."""
    return refused.code.startswith(("internal_error", "InternalError", "SystemError", "ModelService"))


def _used(request: Request) -> Iterator[Feature]:
    """What the request asks for beside the plain chat."""
    asks: dict[Feature, bool] = {
        "logit_bias": bool(request.logit_bias),
        "stream_options": request.stream,
        "seed": request.seed is not None,
        "n": request.n > 1,
        "partial": bool(request.messages and request.messages[-1].get("partial")),
        "character_options": request.memory is not None,
    }
    return (feature for feature in FEATURES if asks[feature])
