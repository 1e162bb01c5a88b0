"""A chat request on either route: read, checked, and refused in the service's own words.

Pure, and written independently of `companion.mind.api.parser`, so that a misreading of the specification cannot hide in
both. Sections in comments are those of the service's specification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from companion.emulator.errors import (
    BODY,
    JSON_WANTED,
    NO_INPUT,
    NO_MODEL,
    ApiError,
    Refusal,
    invalid,
    no_such_model,
)
from companion.emulator.limits import MODELS, Model

Route = Literal["openai", "dashscope"]

_MOST_SEED: Mapping[Route, int] = {"openai": 2**31 - 1, "dashscope": 2**63 - 1}
_STOP = (
    'The "stop" parameter must be of type "str", "list[str]", "list[int]", or "list[list[int]]", and all elements '
    "within the list must be of the same type."
)
Skip = Literal["system", "user", "assistant", "output"]

_ROLES = ("system", "user", "assistant", "function", "plugin", "tool")
_ALONE = (
    'The messages list should not contain only one message with role "system". '
    "Please include at least one other role in the messages."
)
_LAST = (
    'Role must be in ["user","assistant","system","function","plugin","tool"] and the role in last message '
    'must be in ["user","function","tool"]'
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    role: str
    content: str
    partial: bool = False
    """Whether the answer continues this message (section 3.1): only the last one, and only an assistant's."""


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """`character_options` with long-term memory enabled (section 6)."""

    profile: str
    entries: int
    skip: frozenset[str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The generation parameters that both routes know."""

    n: int
    seed: int | None
    max_tokens: int
    bias: Mapping[int, float]
    """Token id to bias, from -100 (banned) to 100 (exclusive)."""
    stop_texts: tuple[str, ...]
    stop_tokens: tuple[tuple[int, ...], ...]

    @property
    def banned(self) -> frozenset[int]:
        """The tokens with a bias of -100."""
        return frozenset(token for token, weight in self.bias.items() if weight == -100)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked request."""

    route: Route
    model: Model
    messages: tuple[Message, ...]
    parameters: Parameters
    memory: MemoryOptions | None
    stream: bool
    include_usage: bool
    """OpenAI-compatible route: whether the stream ends with the usage."""
    incremental: bool
    """DashScope route: whether a frame contains only the new text."""
    as_text: bool
    """DashScope route: whether `output.text` replaces `output.choices`."""


def read_openai(
    body: bytes, models: Sequence[Model] = MODELS["international"], min_memory_entries: int = 20
) -> ChatRequest:
    """Check the body of `POST /compatible-mode/v1/chat/completions`. Raises `Refusal`."""
    value = _object(body, BODY)
    model = _model(value, models)
    options = value.get("stream_options")
    memory = _memory(value.get("character_options"), min_memory_entries)
    return ChatRequest(
        route="openai",
        model=model,
        messages=_messages(value.get("messages"), memory),
        parameters=read_parameters(value, "openai", model),
        memory=memory,
        stream=value.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        incremental=True,
        as_text=False,
    )


def read_dashscope(
    body: bytes, *, stream: bool, models: Sequence[Model] = MODELS["international"], min_memory_entries: int = 20
) -> ChatRequest:
    """Check the body of `POST /api/v1/services/aigc/text-generation/generation`. Raises `Refusal`.

    `stream` is the value of the header `X-DashScope-SSE`. `character_options` may be inside of `parameters`, where the
    service's own libraries put it, or beside it, as in its documentation.
    """
    value = _object(body, JSON_WANTED)
    model = _model(value, models)
    given = value.get("input")
    if not isinstance(given, dict):
        raise Refusal(NO_INPUT)
    parameters = value.get("parameters", {})
    if not isinstance(parameters, dict):
        raise Refusal(BODY)
    memory = _memory(parameters.get("character_options", value.get("character_options")), min_memory_entries)
    messages = given.get("messages")
    if messages is None and isinstance(given.get("prompt"), str):
        messages = [{"role": "user", "content": given["prompt"]}]
    return ChatRequest(
        route="dashscope",
        model=model,
        messages=_messages(messages, memory),
        parameters=read_parameters(parameters, "dashscope", model),
        memory=memory,
        stream=stream,
        include_usage=True,
        incremental=parameters.get("incremental_output") is True,
        as_text=parameters.get("result_format") == "text",
    )


def _object(body: bytes, problem: ApiError) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(problem) from error
    if not isinstance(value, dict):
        raise Refusal(problem)
    return value


def _model(value: Mapping[str, Any], models: Sequence[Model]) -> Model:
    name = value.get("model")
    if not isinstance(name, str) or not name:
        raise Refusal(NO_MODEL)
    for model in models:
        if model.name == name:
            return model
    raise no_such_model(clean(name))


def _messages(value: object, memory: MemoryOptions | None) -> tuple[Message, ...]:
    """Section 3.1."""
    if not isinstance(value, list):
        raise invalid('Either "prompt" or "messages" must exist and cannot both be none')
    if not value:
        raise invalid("[] is too short - 'messages'")
    messages = tuple(_message(item, is_last=at == len(value) - 1) for at, item in enumerate(value))
    roles = {message.role for message in messages}
    last = messages[-1]
    if last.partial:
        # The service's own example of a continued reply has no user message at all.
        return messages
    if roles == {"system"} and memory is None:
        raise invalid(_ALONE)
    if last.role not in ("user", "function", "tool"):
        raise invalid(_LAST)
    if "user" not in roles:
        raise invalid("The input messages do not contain elements with the role of user")
    return messages


def _message(item: object, *, is_last: bool) -> Message:
    if not isinstance(item, dict):
        raise invalid("Input should be a valid dictionary or instance of GPT3Message")
    if "content" not in item:
        raise invalid("The content field is a required field.")
    role, content = item.get("role"), item["content"]
    if not isinstance(content, str):
        raise invalid("input content must be a string.")
    if role not in _ROLES:
        raise invalid(_LAST)
    partial = item.get("partial") is True
    if partial and not (is_last and role == "assistant"):
        raise invalid("The partial parameter is only supported in the last message, whose role must be assistant.")
    return Message(role, clean(content), partial)


def _memory(value: object, least: int) -> MemoryOptions | None:
    """The options where they enable memory, else None. No source documents the wording of these refusals."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid("'character_options' must be an object")
    memory = value.get("memory", {})
    if not isinstance(memory, dict):
        raise invalid("'character_options.memory' must be an object")
    enabled = memory.get("enable_long_term_memory", False)
    if not isinstance(enabled, bool):
        raise invalid("'enable_long_term_memory' must be Boolean")
    if not enabled:
        return None
    profile = value.get("profile")
    if not isinstance(profile, str) or not profile.strip():
        raise invalid("character_options.profile is required when long term memory is enabled")
    entries = memory.get("memory_entries", 200)
    if isinstance(entries, bool) or not isinstance(entries, int) or not least <= entries <= 400:
        raise invalid(f"Range of memory_entries should be [{least}, 400]")
    skip = memory.get("skip_save_types", [])
    if not isinstance(skip, list) or not all(kind in ("system", "user", "assistant", "output") for kind in skip):
        raise invalid('skip_save_types must be in ["system","user","assistant","output"]')
    return MemoryOptions(clean(profile), entries, frozenset(skip))


def read_parameters(values: Mapping[str, Any], route: Route, model: Model) -> Parameters:
    """Check all parameters, with the service's own wording (section 3). Raises `Refusal`."""
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
        max_tokens=_whole(values, "max_tokens", 1, model.max_output, model.default_output),
        bias=_bias(values.get("logit_bias")),
        stop_texts=texts,
        stop_tokens=tokens,
    )


def clean(text: str) -> str:
    """Join surrogate pairs that came as JSON escapes, and replace lone surrogates."""
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
    return Refusal(ApiError(400, "invalid_value", words, kind="invalid_request_error"))


def _bias(value: object) -> dict[int, float]:
    """Token id to bias. No source documents the wording of these refusals."""
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
