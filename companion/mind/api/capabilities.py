"""What the server understands beyond the plain chat, and the list of tokens that the model may not write.

Pure but for reading `logit_bias.json`, once. The service has every capability, but any OpenAI-compatible server may
stand in its place. What such a server refuses is left out from then on, for the life of the process, and the log says
so once. A refusal mostly names the field, and costs that field and no other. A server that is not the service may
refuse without saying why; then the extras are dropped one by one, on trial, until it answers. Some report what they
cannot read as a fault of their own (500): after two of those in a row the extras are dropped too. Refusals of a strict
chat template are answered by folding the messages (`chat_template`).

The ban list (`logit_bias`) keeps the model from opening a stage direction. It comes in three tiers, made from the
model's vocabulary by `scripts/make_logit_bias.py`:

    documented   10    the service's own list; "(s", "...(" and the like still get through, so it is used without its
                       three closing brackets: a direction that never closes hides what follows it
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
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from companion.mind.api.chat_template import Strictness, fold_messages, required_strictness
from companion.mind.api.errors import Refusal, named_fields, told_fields
from companion.mind.api.messages import Refused, Request, TokenLimit
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


_IN_ORDER = ("logit_bias", "stream_options", "stop", "extra", "seed", "n", "partial", "character_options", "roles")
"""What is left out where a refusal does not say what it is about, in this order: the least missed first. `extra` is
each field of `character.extra`, `roles` what a strict chat template refuses (`chat_template`)."""

_VALUES = (
    *("logit_bias", "seed", "temperature", "top_p", "top_k"),
    *("presence_penalty", "frequency_penalty", "repetition_penalty"),
)
_NAMED_ONLY = (*_VALUES[2:], "max_tokens", "max_completion_tokens", "stream")
"""Left out only where the refusal names them."""

NO_THOUGHTS = (
    "Set character.extra so that it does not think, for example enable_thinking = false or think = false, "
    "or choose a model that does not."
)
"""What to do about a model that thinks before it answers."""

_THINKS = re.compile(r"(?<!no-)(?<!non-)\b(?:r1|qwq|qvq|reasoner|reasoning|think|thinking)\b", re.IGNORECASE)
"""In names of models whose templates put the opening of a thought into the prompt."""

_MOST_STOPS = 4
"""More than this some servers refuse."""

_MAY_LACK = frozenset({400, 404, 422, 500, 501})
"""Statuses with which servers refuse a field that they do not know."""

_ELSEWHERE = ("moderated", "too_long", "model", "unpaid", "key")
"""Kinds of refusals that no field can be blamed for."""


class Capabilities:
    """What one server is known to lack, for one model."""

    def __init__(
        self, tier: Tier | None, *, asterisks: bool, foreign: bool, model: str, may_think: bool = True
    ) -> None:
        """`tier` is the ban list, with `asterisks` or without; `foreign`: the server is not the service itself;
        `may_think`: the model was not asked to leave it.
        """
        self._foreign = foreign
        self._asterisks = asterisks
        self._lacking: set[str] = set()
        self._strictness = Strictness.NONE
        self._faults = 0
        """Server errors (500) in a row."""
        self._suspects: list[str] = []
        """Left out on trial, until an answer shows whether that helped."""
        self._tier: Tier | None = None
        self._bias: dict[str, int] | None = None
        self._thinks = False
        self.expects_thought = foreign and may_think and _THINKS.search(model) is not None
        """Whether an answer may begin with a thought that is not marked as one."""
        self._set_ban_list(None if foreign and "qwen" not in model.casefold() else tier)

    def lacks(self, capability: str) -> bool:
        """Whether the server is known not to have it: a field of the request, `partial` or `roles`."""
        return capability in self._lacking or capability in self._suspects

    def confirm(self, service: str) -> None:
        """The server has answered the latest request: of what was left out on trial, the last one is what helped.

        If another is needed too, the next request is refused, and that one is found in the same way.
        """
        if self._suspects:
            log.warning("%s fails on `%s`; that is left out from now on.", service, self._suspects[-1])
            self._lacking.add(self._suspects[-1])
        self._faults, self._suspects = 0, []

    def notice_thought(self, service: str) -> None:
        """The model thinks before it answers."""
        if not self._thinks:
            self._thinks = True
            log.warning("%s thinks before it answers, which nobody hears. %s", service, NO_THOUGHTS)

    def adapt(self, request: Request) -> Request:
        """The request with the ban list, and without what the server lacks."""
        refused: dict[str, Any] = {name: None for name in _VALUES if self.lacks(name)}
        request = replace(request, **{"logit_bias": self._bias, **refused})
        n = 1 if self.lacks("n") else request.n
        messages = without_partial(request.messages) if self.lacks("partial") else request.messages
        # A thought may be written as a script.
        others = request.other_speakers if self._foreign and not self._thinks else ()
        stop = (*request.stop, *(f"\n{name}:" for name in others))[:_MOST_STOPS]
        limits: tuple[TokenLimit, ...] = ("max_tokens", "max_completion_tokens")
        return replace(
            request,
            n=n,
            # Of several answers none can be said before it is chosen; one is said as it comes.
            stream=(request.stream or (request.n > 1 and n == 1)) and not self.lacks("stream"),
            include_usage=not self.lacks("stream_options"),
            messages=fold_messages(messages, Strictness.NO_SYSTEM if self.lacks("roles") else self._strictness),
            max_tokens_field=next((name for name in limits if not self.lacks(name)), ""),
            stop=() if self.lacks("stop") else stop,
            extra={name: value for name, value in request.extra.items() if not self.lacks(name)},
        )

    def drop_refused(self, refused: Refused, refusal: Refusal, request: Request, service: str) -> bool:
        """Drop what this refusal of `request` is about. False where it is about something else."""
        used = tuple(name for name in _used_fields(request) if not self.lacks(name))
        named = named_fields(refused, (*used, *_NAMED_ONLY))
        if self._foreign and refusal.kind not in _ELSEWHERE and self._fold_more(refused, service, surely=True):
            return True
        if self._foreign and refused.status in (500, 501) and not named and not _is_service_error(refused):
            if self._fold_more(refused, service, surely=False):
                return True
            return self._drop_suspect(("stream",) if refused.status == 501 and request.stream else used)
        if self._tier is not None and ("logit_bias" in named or refused.status == 413):
            self._drop_ban_list(service)
            return True
        if refused.status not in _MAY_LACK or refusal.kind in _ELSEWHERE:
            return False
        values = _named_values(request)
        lacking = [name for name in (*used, *values) if name in named and not self.lacks(name)]
        for name in lacking:
            log.warning("%s refuses `%s`; it is left out from now on.", service, name)
            self._lacking.add(name)
        if lacking:
            return True
        if not self._foreign or refusal.kind not in ("parameter", "unknown"):
            return False
        if self._fold_more(refused, service, surely=False):
            return True
        # A field that it names and that cannot be left out (`model`) is no reason to drop others.
        return not (told_fields(refused) & {"model", "messages"}) and self._suspect(used)

    def _fold_more(self, refused: Refused, service: str, *, surely: bool) -> bool:
        """Fold messages further where that is what the refusal is about."""
        strictness = required_strictness(refused.message, self._strictness, surely=surely)
        if strictness is None:
            return False
        self._strictness = strictness
        log.warning("%s: %s; messages are folded into that from now on.", service, _WANTS[strictness])
        return True

    def _drop_suspect(self, used: Sequence[str]) -> bool:
        """Drop one more after a second server error in a row; the first may be chance."""
        self._faults += 1
        return self._faults > 1 and self._suspect(used)

    def _suspect(self, used: Sequence[str]) -> bool:
        """Leave one more out on trial; take everything back where none of it helps."""
        if not used:
            self._faults, self._suspects = 0, []
            return False
        self._suspects.append(used[0])
        return True

    def _drop_ban_list(self, service: str) -> None:
        smaller = None if self._foreign or self._tier is None else smaller_tier(self._tier)
        then = "a smaller one is used" if smaller else "none is used"
        log.warning("%s refuses the ban list `%s` (logit_bias); %s from now on.", service, self._tier, then)
        self._set_ban_list(smaller)

    def _set_ban_list(self, tier: Tier | None) -> None:
        """Use this ban list from now on; None for none."""
        self._tier = tier
        self._bias = ban_list(tier, asterisks=self._asterisks) if tier else None


_WANTS: Mapping[Strictness, str] = {
    Strictness.SYSTEM_FIRST: "its chat template takes one system message, at the beginning",
    Strictness.ALTERNATING: "its chat template wants user and assistant to take turns",
    Strictness.NO_SYSTEM: "its chat template takes no system message",
}


def _is_service_error(refused: Refused) -> bool:
    """Whether the error has one of the service's own codes: a server that uses those understands its requests."""
    return refused.code.startswith(("internal_error", "InternalError", "SystemError", "ModelService"))


def _used_fields(request: Request) -> Iterator[str]:
    """What the request uses beyond the plain chat, in the order in which it is dropped."""
    asks = {
        "logit_bias": bool(request.logit_bias),
        "stream_options": request.stream and request.include_usage,
        "stop": bool(request.stop),
        "seed": request.seed is not None,
        "n": request.n > 1,
        "partial": bool(request.messages and request.messages[-1].get("partial")),
        "character_options": request.memory is not None,
        "roles": fold_messages(request.messages, Strictness.NO_SYSTEM) != request.messages,
    }
    for name in _IN_ORDER:
        if name == "extra":
            yield from request.extra
        elif asks[name]:
            yield name


def _named_values(request: Request) -> Iterator[str]:
    """What else of the request can be left out, or said in another way, where it is named."""
    asks = {
        **{name: getattr(request, name) is not None for name in _VALUES},
        request.max_tokens_field: request.max_tokens is not None,
        "stream": request.stream,
    }
    return (name for name in _NAMED_ONLY if asks.get(name))
