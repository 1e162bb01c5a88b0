"""Whatever comes over the wire, the turn ends in time, with something said: the answer, or a line of the persona."""

from __future__ import annotations

from time import process_time
from typing import Literal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.mind.api.messages import Request
from companion.mind.api.parser import encode_request
from tests.support.damaged_wire import BODIES
from tests.support.scene import PERSONA, WAKE, said, scene
from tests.support.service_scene import Line, Step, event, on

pytestmark = [pytest.mark.looptime, pytest.mark.time_limit(60)]

ROUTES = st.sampled_from(["openai", "dashscope"])
_KINDS = ("offline", "failed", "busy", "change_subject")
OWN_LINES = " ".join(line for kind in _KINDS for line in getattr(PERSONA.lines, kind))


async def spoken_of(script: list[Step | int], protocol: str) -> list[str]:
    """What is said where the service answers every request so."""
    async with scene() as s:
        s.conversation.dialogue.take(on(Line(script), who=PERSONA, protocol=protocol))
        s.listener.put(WAKE, said("hi"))
        await s.until("thinking")
        await s.until("follow_up", within_s=120)
        return s.voice.spoken


@settings(max_examples=80, deadline=None)
@given(
    body=BODIES,
    protocol=ROUTES,
    pause=st.sampled_from([0.0, 0.0, 0.0, 0.5, 3.0]),
    breaks=st.booleans(),
    status=st.sampled_from([200] * 9 + [400, 429, 500]),
)
async def test_every_turn_ends_with_something_said(
    body: list[bytes], protocol: str, pause: float, breaks: bool, status: int
) -> None:
    script: list[Step | int] = [status]
    for piece in body:
        script += [piece, pause]
    if breaks:
        script.append(httpx.ReadError("reset"))
    began = process_time()
    spoken = await spoken_of(script, protocol)
    assert any(ch.isalnum() for ch in "".join(spoken))
    assert len("".join(spoken)) < encode_request("openai", Request("m", (), max_tokens=300)).longest + len(OWN_LINES)
    assert process_time() - began < 5


@pytest.mark.parametrize(
    ("body", "spoken"),
    [
        ([event("Good ", index=1), event("day.", "stop", index=2), b"data: [DONE]\n\n"], "Good day."),
        ([event("Good "), event("day.", index=1), event("", "stop", index=7)], "Good day."),
        ([b"data: ping\n\n", event("Good "), b"data: ping\n\n", event("day."), event("", "stop")], "Good day."),
        ([event("Good day."), event("", "stop"), b'data: {"choices":[],"usa'], "Good day."),
        ([event("Good day."), event("", "stop"), 20.0], "Good day."),
        ([event("Good day, "), event("my friend.")], "Good day, my friend."),
        ([event("*“Come in!” she calls.*", "stop")], "“Come in!”"),
        ([event("*waves*", "stop")], PERSONA.lines.failed[0]),
        ([event(" "), event("\n", "stop")], PERSONA.lines.offline[0]),
        ([event("", "stop")], PERSONA.lines.offline[0]),
        ([event("Good day. "), event("I ha")], f"Good day. I {PERSONA.lines.offline[0]}"),
        ([], PERSONA.lines.offline[0]),
    ],
)
@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
async def test_what_is_whole_is_said_and_what_is_not_is_excused(
    body: list[Step | int], spoken: str, protocol: Literal["openai", "dashscope"]
) -> None:
    assert " ".join(await spoken_of(body, protocol)) == spoken
