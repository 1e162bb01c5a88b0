"""What the server understands beyond the plain chat, and the list of tokens that the model may not write.

Pure but for reading `logit_bias.json`, once. The service has every capability, but any OpenAI-compatible server may
stand in its place. What such a server refuses is left out from then on, for the life of the process, and the log says
so once. A refusal mostly names the field. A server that is not the service may refuse without saying why; then the
extras are dropped one by one until it answers. Some report what they cannot read as a fault of their own (500): after
two of those in a row the extras are dropped too, on trial.

The ban list (`logit_bias`) keeps the model from opening a stage direction. It comes in three tiers, made from the
model's vocabulary by `scripts/make_logit_bias.py`:

    documented   13    the service's own list; "(s", "...(" and the like still get through
    prose        182   every usual way to open a round bracket in prose
    complete     3,025 no opening round bracket can be written at all (39 kB in every request)

Where brackets are banned the model turns to asterisks, so a persona whose feelings come as emoji bans those too: 70
more tokens with `prose`, 430 with `complete`. The service documents at most 63 entries; a list that is refused for its
size is replaced by the next smaller tier. A ban list never replaces the text filter behind it: below `complete` a model
can still spell a bracket in an unusual way, and other signs stay open in every tier.

The ids belong to the vocabulary of `qwen.tiktoken`; nothing proves that the flash and Japanese models share it. Another
server gets the list only for a model that shares the vocabulary as far as its name tells; elsewhere the list would ban
words at random.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Literal

from companion.mind.api.errors import Refusal, named_fields
from companion.mind.api.parser import EncodedRequest, Protocol, Refused, Request, encode_request
from companion.mind.prompt import without_partial

log = logging.getLogger("companion")

Tier = Literal["documented", "prose", "complete"]

_SMALLER: Mapping[Tier, Tier] = {"complete": "prose", "prose": "documented"}

BANNED = -100
"""The bias that makes a token impossible."""


def ban_list(tier: Tier, *, asterisks: bool = False) -> dict[str, int]:
    """The request's `logit_bias`: decimal token id -> -100.

    `asterisks` also bans what writes a direction between asterisks; `documented` stays the documented list.
    """
    ids = _sets()[tier]
    if asterisks and tier != "documented":
        ids = sorted({*ids, *_sets()[f"{tier}_asterisks"]})
    return {str(token): BANNED for token in ids}


def smaller_tier(tier: Tier) -> Tier | None:
    """The next tier down, for a service that refuses a list this long; None below the smallest."""
    return _SMALLER.get(tier)


@cache
def _sets() -> dict[str, list[int]]:
    data = json.loads(resources.files(__package__).joinpath("logit_bias.json").read_text(encoding="utf-8"))
    return {name: one["ids"] for name, one in data["sets"].items()}


Capability = Literal["logit_bias", "stream_options", "seed", "n", "partial", "character_options"]
CAPABILITIES: tuple[Capability, ...] = ("logit_bias", "stream_options", "seed", "n", "partial", "character_options")
"""In the order in which they are dropped: the least missed first."""

_MAY_LACK = frozenset({400, 404, 422, 500, 501})
"""Statuses with which servers refuse a field that they do not know."""


class Capabilities:
    """What one server is known to lack, for one model."""

    def __init__(self, tier: Tier | None, *, asterisks: bool, foreign: bool, model: str) -> None:
        """`tier` is the ban list, with `asterisks` or without; `foreign`: the server is not the service itself."""
        self._foreign = foreign
        self._asterisks = asterisks
        self._lacking: set[Capability] = set()
        self._faults = 0
        """Server errors (500) in a row."""
        self._suspects: list[Capability] = []
        """Dropped because of those, until an answer shows whether that helped."""
        self._tier: Tier | None = None
        self._bias: dict[str, int] | None = None
        self._set_ban_list(None if foreign and "qwen" not in model.casefold() else tier)

    def lacks(self, capability: Capability) -> bool:
        """Whether the server is known not to have it."""
        return capability in self._lacking or capability in self._suspects

    def confirm(self, service: str) -> None:
        """The server has answered the latest request: what was dropped on trial stays dropped."""
        if self._suspects:
            named = ", ".join(f"`{capability}`" for capability in self._suspects)
            log.warning("%s fails on %s; that is left out from now on.", service, named)
            self._lacking.update(self._suspects)
        self._faults, self._suspects = 0, []

    def adapt(self, request: Request) -> Request:
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

    def encode(self, protocol: Protocol, request: Request) -> EncodedRequest:
        """The request as it is sent."""
        sent = encode_request(protocol, request)
        if self.lacks("stream_options") and protocol == "openai" and request.stream:
            body = json.loads(sent.body)
            body.pop("stream_options", None)
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            return replace(sent, body=text.encode("utf-8", "replace"))
        return sent

    def drop_refused(self, refused: Refused, refusal: Refusal, request: Request, service: str) -> bool:
        """Drop what this refusal is about. False where it is about something else."""
        used = tuple(capability for capability in _used_capabilities(request) if not self.lacks(capability))
        named = named_fields(refused, used)
        if self._foreign and refused.status == 500 and not named and not _is_service_error(refused):
            return self._drop_suspect(used)
        if self._tier is not None and ("logit_bias" in named or refused.status == 413):
            log.warning("%s refuses the ban list `%s`; a smaller one is used from now on.", service, self._tier)
            self._set_ban_list(None if self._foreign else smaller_tier(self._tier))
            return True
        if refused.status not in _MAY_LACK or refusal.kind in ("moderated", "too_long", "model", "unpaid", "key"):
            return False
        lacking = [capability for capability in used if capability in named]
        if not lacking and self._foreign and refusal.kind in ("parameter", "unknown"):
            lacking = list(used[:1])
        for capability in lacking:
            log.warning("%s does not know `%s`; it is left out from now on.", service, capability)
            self._lacking.add(capability)
            if capability == "logit_bias":
                self._set_ban_list(None)
        return bool(lacking)

    def _drop_suspect(self, used: Sequence[Capability]) -> bool:
        """Drop one more after a second server error in a row; take everything back where none of it helps."""
        self._faults += 1
        if self._faults == 1:
            return False
        if not used:
            self._faults, self._suspects = 0, []
            return False
        self._suspects.append(used[0])
        return True

    def _set_ban_list(self, tier: Tier | None) -> None:
        """Use this ban list from now on; None for none."""
        self._tier = tier
        self._bias = ban_list(tier, asterisks=self._asterisks) if tier else None


def _is_service_error(refused: Refused) -> bool:
    """Whether the error has one of the service's own codes: a server that uses those understands its requests."""
    return refused.code.startswith(("internal_error", "InternalError", "SystemError", "ModelService"))


def _used_capabilities(request: Request) -> Iterator[Capability]:
    """What the request uses beyond the plain chat."""
    asks: dict[Capability, bool] = {
        "logit_bias": bool(request.logit_bias),
        "stream_options": request.stream,
        "seed": request.seed is not None,
        "n": request.n > 1,
        "partial": bool(request.messages and request.messages[-1].get("partial")),
        "character_options": request.memory is not None,
    }
    return (capability for capability in CAPABILITIES if asks[capability])
