"""The parameters that both routes know, checked in the service's own words (section 3 of its specification). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from companion.emulator.errors import Entry, Refusal, invalid
from companion.emulator.limits import Model

Route = Literal["openai", "dashscope"]

_MOST_SEED: Mapping[Route, int] = {"openai": 2**31 - 1, "dashscope": 2**63 - 1}
_STOP = (
    'The "stop" parameter must be of type "str", "list[str]", "list[int]", or "list[list[int]]", and all elements '
    "within the list must be of the same type."
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """How an answer is to be made."""

    n: int
    seed: int | None
    most_tokens: int
    bias: Mapping[int, float]
    """Token -> -100 (never) to 100 (nothing else)."""
    stop_texts: tuple[str, ...]
    stop_tokens: tuple[tuple[int, ...], ...]

    @property
    def banned(self) -> frozenset[int]:
        """The tokens with a bias of -100."""
        return frozenset(token for token, weight in self.bias.items() if weight == -100)


def read_parameters(values: Mapping[str, Any], route: Route, model: Model) -> Parameters:
    """Check them all. Raises `Refusal`."""
    _number(values, "temperature", lambda x: 0 <= x < 2, "Temperature should be in [0.0, 2.0)")
    _number(values, "top_p", lambda x: 0 < x <= 1, "Range of top_p should be (0.0, 1.0]")
    _number(values, "presence_penalty", lambda x: -2 <= x <= 2, "Presence_penalty should be in [-2.0, 2.0]")
    _number(values, "repetition_penalty", lambda x: x > 0, "Repetition_penalty should be greater than 0.0")
    top_k = values.get("top_k")
    if top_k is not None and (not _is_whole(top_k) or top_k < 0):
        raise invalid("Parameter top_k be greater than or equal to 0")
    if values.get("tools"):
        raise invalid("The tool call is not supported.")
    texts, tokens = _stop(values.get("stop"))
    return Parameters(
        n=_whole(values, "n", 1, 4, 1),
        seed=_seed(values.get("seed"), route),
        most_tokens=_whole(values, "max_tokens", 1, model.most_output, model.usual_output),
        bias=_bias(values.get("logit_bias")),
        stop_texts=texts,
        stop_tokens=tokens,
    )


def clean(text: str) -> str:
    """JSON escapes can hold halves of characters: join those that belong together, replace the others."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(values: Mapping[str, Any], name: str, is_right: Any, problem: str) -> None:
    number = values.get(name)
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise invalid(f"'{name}' must be Float")
    if not is_right(number):
        raise invalid(problem)


def _whole(values: Mapping[str, Any], name: str, low: int, high: int, usual: int) -> int:
    number = values.get(name)
    if number is None:
        return usual
    if not _is_whole(number) or not low <= number <= high:
        raise invalid(f"Range of {name} should be [{low}, {high}]")
    return int(number)


def _seed(value: object, route: Route) -> int | None:
    if value is None:
        return None
    most = _MOST_SEED[route]
    if route == "dashscope":
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise invalid(f"Range of seed should be [0, {most}]")
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise _seed_refusal("'seed' must be Integer")
    if not 0 <= value <= most:
        bound = "lesser than the minimum of 0" if value < 0 else f"greater than the maximum of {most}"
        raise _seed_refusal(f"{value} is {bound} - 'seed'")
    return value


def _seed_refusal(words: str) -> Refusal:
    return Refusal(Entry(400, "invalid_value", words, kind="invalid_request_error"))


def _bias(value: object) -> dict[int, float]:
    """Token id -> bias. No source gives the words of these refusals."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid("'logit_bias' must be an object")
    for token, weight in value.items():
        if not token.isascii() or not token.isdigit() or len(token) > 9:
            raise invalid("'logit_bias' must map token ids to numbers")
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise invalid("'logit_bias' must map token ids to numbers")
        if not -100 <= weight <= 100:
            raise invalid("Range of logit_bias should be [-100, 100]")
    return {int(token): weight for token, weight in value.items()}


def _stop(value: object) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    if value is None:
        return (), ()
    items = [value] if isinstance(value, str) else value
    if isinstance(items, list):
        if all(isinstance(item, str) for item in items):
            return tuple(clean(item) for item in items if item), ()
        if all(_is_whole(item) for item in items):
            return (), tuple((item,) for item in items)
        if all(isinstance(item, list) and all(map(_is_whole, item)) for item in items):
            return (), tuple(tuple(item) for item in items if item)
    raise invalid(_STOP)
