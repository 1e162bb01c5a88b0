"""Thoughts in every form and control tokens are never said, wherever the stream is cut."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.thoughts import ThoughtFilter

CASES = [
    ("Good morning, my friend.", "Good morning, my friend."),
    ("<think>Hm, a child.</think>\n\nGood morning!", "Good morning!"),
    ("<thinking kind='short'>Hm.</thinking>Good morning!", "Good morning!"),
    ("<seed:think>Hm.</seed:think>Good morning!", "Good morning!"),
    ("[THINK]Hm.[/THINK]Good morning!", "Good morning!"),
    ("◁think▷Hm.◁/think▷Good morning!", "Good morning!"),
    ("<|START_THINKING|>Hm.<|END_THINKING|>Good morning!", "Good morning!"),
    ("<think>never closed", ""),
    ("Good <think>Hm.</think>morning!", "Good morning!"),
    (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Good morning!",
        "Good morning!",
    ),
    (
        "<|start|>assistant<|channel|>analysis<|message|>Hm.<|start|>assistant<|channel|>final<|message|>Hi!<|return|>x",
        "Hi!",
    ),
    ("<|channel|>analysis<|message|>cut off here", ""),
    ("<|channel>thought\nHm.<channel|>Good morning!", "Good morning!"),
    ("analysisThe child says hello.assistantfinalGood morning!", "Good morning!"),
    ("Good morning!<|im_end|>\n<|im_start|>user\nGive me some!", "Good morning!"),
    ("Good morning!</s><s>[INST] more [/INST]", "Good morning!"),
    ("Good morning!<end_of_turn>\n<start_of_turn>user", "Good morning!"),
    ("Good morning![INST] and then", "Good morning!"),
    ("Good morning!<｜end▁of▁sentence｜>more", "Good morning!"),
    ("Good morning!<|eot_id|>more", "Good morning!"),
    ("<|im_start|>assistant\nGood morning!", "Good morning!"),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nGood morning!", "Good morning!"),
    ("<start_of_turn>model\nGood morning!", "Good morning!"),
    ("assistant\n\nGood morning!", "Good morning!"),
    ("[/INST] Good morning!", "Good morning!"),
    ("I <3 you, and 3 < 5. [waves] <b>Bold</b> (nods)", "I <3 you, and 3 < 5. [waves] <b>Bold</b> (nods)"),
    ("a", "a"),
    ("Analysis is fun.", "Analysis is fun."),
    ("assistants help", "assistants help"),
    ("I like <", "I like <"),
]


def read(pieces: Sequence[str], *, expects_thought: bool = False, cut: bool = False) -> str:
    reader = ThoughtFilter(expects_thought=expects_thought)
    return "".join([*(reader.feed(piece) for piece in pieces), reader.close(cut=cut)])


@pytest.mark.parametrize(("text", "said"), CASES, ids=lambda value: value[:24])
@given(data=st.data())
def test_only_what_is_meant_to_be_heard_is_said(text: str, said: str, data: st.DataObject) -> None:
    assert read([text]) == said
    assert read(list(text)) == said
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    assert read([text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]) == said


LOST = "The child says hello. I should be warm.\n</think>\n\nGood morning!"


def test_a_thought_that_has_lost_its_opening_is_dropped_as_far_as_it_can_be() -> None:
    assert read([LOST]) == "Good morning!"
    reader = ThoughtFilter()
    assert reader.feed("The child says hello. ") == "The child says hello. "
    assert reader.feed("I should be warm.</think>\n\nGood morning!") == "Good morning!"
    assert reader.lost_opening


def test_once_known_nothing_of_it_is_said() -> None:
    assert read(list(LOST), expects_thought=True) == "Good morning!"
    assert read(["Good ", "morning!"], expects_thought=True) == "Good morning!", "it did not think this time"
    assert read(["The child ", "says hello."], expects_thought=True, cut=True) == "", "it never came to its answer"
    assert read(["<think>Hm.</think>", "Good ", "morning!"], expects_thought=True) == "Good morning!"
    assert read(["Good ", "morning!<|im_end|>", "junk"], expects_thought=True) == "Good morning!"


@given(st.text(st.sampled_from("<>|/[]think channel\nassistant◁▷abc"), max_size=60), st.booleans())
def test_any_text_has_an_end(text: str, expects: bool) -> None:
    assert read(list(text), expects_thought=expects) == read([text], expects_thought=expects) or "</think" in text
