"""A unit with nothing to understand speech with: it says so, and never waits for words."""

from __future__ import annotations

import pytest

from companion.ears.attention import Attention
from tests.support.scene import PERSONA, WAKE, scene

pytestmark = pytest.mark.looptime


async def test_every_wake_is_answered_with_a_sentence_that_says_so() -> None:
    async with scene(hears=False) as s:
        for _ in range(2):
            s.listener.put(WAKE)
            await s.until("speaking")
            await s.until("idle")
        assert " ".join(s.voice.spoken[:2]) == (
            "I cannot understand speech yet. Please ask somebody to finish setting me up."
        )
        assert len(s.voice.spoken) == 4
        assert "listening" not in s.notes.states()
        assert s.character.asked == []


async def test_the_personas_own_line_comes_first() -> None:
    lines = PERSONA.lines.model_copy(update={"cannot_hear": ("My ears are still in the box.",)})
    async with scene(persona=PERSONA.model_copy(update={"lines": lines}), hears=False) as s:
        s.listener.put(WAKE)
        await s.until("speaking")
        await s.until("idle")
        assert s.voice.spoken == ["My ears are still in the box."]


@pytest.mark.parametrize("always_open", [False, True])
async def test_words_are_never_listened_for(always_open: bool) -> None:
    async with scene(hears=False, always_open=always_open) as s:
        s.conversation.announce("Dinner is ready.")
        await s.until("speaking")
        await s.until("idle")
        assert s.listener.attention == Attention.WAKE
