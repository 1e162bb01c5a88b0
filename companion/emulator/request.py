"""A chat request, as either route carries it: read, checked, and refused in the service's own words.

Pure, and written apart from `companion.mind.api.parser`, so that one misreading cannot hide in both. Sections in
comments are those of the service's specification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from companion.emulator.errors import BODY, JSON_WANTED, NO_INPUT, NO_MODEL, Entry, Refusal, invalid, no_such_model
from companion.emulator.limits import MODELS, Model
from companion.emulator.parameters import Parameters, Route, clean, read_parameters

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
    """The answer goes on from here (section 3.1): only the last message, and only an assistant's."""


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """`character_options` with long-term memory on (section 6)."""

    profile: str
    entries: int
    skip: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What was asked for."""

    route: Route
    model: Model
    messages: tuple[Message, ...]
    parameters: Parameters
    memory: MemoryOptions | None
    stream: bool
    include_usage: bool
    """OpenAI-compatible route: whether the stream ends with the usage."""
    incremental: bool
    """DashScope route: whether a frame holds only what is new."""
    as_text: bool
    """DashScope route: `output.text` in place of `output.choices`."""


def read_openai(body: bytes, models: Sequence[Model] = MODELS["international"], memory_least: int = 20) -> ChatRequest:
    """Check the body of `POST /compatible-mode/v1/chat/completions`. Raises `Refusal`."""
    value = _object(body, BODY)
    model = _model(value, models)
    options = value.get("stream_options")
    memory = _memory(value.get("character_options"), memory_least)
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
    body: bytes, *, stream: bool, models: Sequence[Model] = MODELS["international"], memory_least: int = 20
) -> ChatRequest:
    """Check the body of `POST /api/v1/services/aigc/text-generation/generation`. Raises `Refusal`.

    `stream` is what the header `X-DashScope-SSE` says. `character_options` may stand in `parameters`, where the
    service's own libraries put it, or beside it, where its documentation does.
    """
    value = _object(body, JSON_WANTED)
    model = _model(value, models)
    given = value.get("input")
    if not isinstance(given, dict):
        raise Refusal(NO_INPUT)
    parameters = value.get("parameters", {})
    if not isinstance(parameters, dict):
        raise Refusal(BODY)
    memory = _memory(parameters.get("character_options", value.get("character_options")), memory_least)
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


def _object(body: bytes, problem: Entry) -> dict[str, Any]:
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
        # The service's own sample of a continued reply has no user at all.
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
    """The options, where they switch memory on. No source gives the words of these refusals."""
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
