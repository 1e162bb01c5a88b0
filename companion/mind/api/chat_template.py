"""What strict chat templates refuse, and a conversation folded into what they take.

Pure. The service takes system messages anywhere, any order of roles and an opening by the character. Servers that hand
the messages to the model's own template may not: Qwen3 wants its system message first and alone, Mistral also wants
user and assistant to alternate, a user first, and Gemma knows no system message at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum

from companion.mind.api.messages import Message
from companion.mind.prompt import SILENCE, without_partial


class Strictness(IntEnum):
    """Each includes those before it."""

    NONE = 0
    SYSTEM_FIRST = 1
    """One system message, at the beginning; and somebody must have said something."""
    ALTERNATING = 2
    """User and assistant take turns, a user first and last."""
    NO_SYSTEM = 3


_REFUSALS: tuple[tuple[Strictness, str], ...] = (
    # "After the optional system message, conversation roles must alternate" is about the second kind only.
    (Strictness.ALTERNATING, r"alternat|interleav|successive|in a row|consecutive (user|assistant|messages)"),
    (Strictness.ALTERNATING, r"\b(first|last) (non-system )?(message|role|turn)\b.{0,60}\b(user|assistant|model)\b"),
    (Strictness.ALTERNATING, r"(start|begin|end)s? with.{0,20}\buser"),
    (Strictness.ALTERNATING, r"\b(assistant|model) (message|turn|role)s?.{0,30}\bfirst\b"),
    (Strictness.ALTERNATING, r"more assistant messages at the end|assistant (response|message) prefill"),
    (Strictness.ALTERNATING, r"unexpected role\W{1,3}(user|assistant)"),
    (Strictness.SYSTEM_FIRST, r"system (message|prompt|role)s?\b.{0,40}\b(beginning|first|start|once|one\b|single)"),
    (Strictness.SYSTEM_FIRST, r"\b(only one|multiple|more than one|first message).{0,30}\bsystem|no user query"),
    (Strictness.SYSTEM_FIRST, r"unexpected role\W{1,3}system\W{1,3} after"),
    (Strictness.NO_SYSTEM, r"system (message|prompt|role|instruction)s?\b.{0,20}\b(not|unsupported)"),
    (Strictness.NO_SYSTEM, r"only user and (assistant|model) roles|developer instruction"),
    (Strictness.NO_SYSTEM, r"(not|n't) (support|allow|accept|recogni[sz]e|know).{0,30}\bsystem"),
    (Strictness.NO_SYSTEM, r"(unexpected|invalid|unknown|unsupported) role\W{1,3}system"),
)

_ABOUT_ROLES = re.compile(r"\broles?\b|\bsystem message|chat.?template|jinja|raise_exception", re.IGNORECASE)


def required_strictness(message: str, now: Strictness, *, surely: bool) -> Strictness | None:
    """How messages have to be folded after a refusal in these words; None where it is about something else.

    `now` is how they are folded already. Without `surely` any refusal that speaks of roles or templates counts.
    """
    for strictness, pattern in _REFUSALS:
        if strictness > now and re.search(pattern, message, re.IGNORECASE | re.DOTALL):
            return strictness
    if not surely and now < Strictness.NO_SYSTEM and _ABOUT_ROLES.search(message):
        return Strictness(now + 1)
    return None


def fold_messages(sent: Sequence[Message], strictness: Strictness) -> tuple[Message, ...]:
    """The same conversation as such a template takes it."""
    if strictness == Strictness.NONE:
        return tuple(sent)
    out = _with_one_system_message(sent)
    head = [out.pop(0)] if out and out[0]["role"] == "system" else []
    if strictness >= Strictness.ALTERNATING:
        out = without_partial(out)
        if not out or out[0]["role"] != "user":
            out.insert(0, _silence())
        out = _merged(out)
        if out[-1]["role"] != "user":
            out.append(_silence())
    elif not any(message["role"] == "user" for message in out):
        out.insert(0, _silence())
    if head and strictness >= Strictness.NO_SYSTEM:
        out[0] = _joined(head.pop(), out[0], role="user")
    return (*head, *out)


def _with_one_system_message(sent: Sequence[Message]) -> list[Message]:
    """Later system messages go into the user's message that follows, else into the first one."""
    first: Message | None = None
    waiting: Message | None = None
    out: list[Message] = []
    for message in sent:
        if message["role"] == "system":
            if not out:
                first = _joined(first, message)
            else:
                waiting = _joined(waiting, message)
        elif message["role"] == "user" and waiting:
            out.append(_joined(waiting, message, role="user"))
            waiting = None
        else:
            out.append(message)
    if waiting:
        first = _joined(first, waiting)
    return [first, *out] if first else out


def _merged(sent: Sequence[Message]) -> list[Message]:
    out: list[Message] = []
    for message in sent:
        if out and out[-1]["role"] == message["role"]:
            out[-1] = _joined(out[-1], message)
        else:
            out.append(message)
    return out


def _joined(first: Message | None, second: Message, role: str = "") -> Message:
    if first is None:
        return second
    return {"role": role or second["role"], "content": f"{first['content']}\n\n{second['content']}"}


def _silence() -> Message:
    return {"role": "user", "content": SILENCE}
