"""Tags, thoughts, names before a line, and signs that mean something."""

from __future__ import annotations

import pytest

from companion.events import Cue
from companion.voice.stage.emoji import XIAOZHI_EMOTIONS
from tests.support.staging import played, said


def test_only_the_characters_own_name_is_dropped() -> None:
    assert (
        said("Teddy: Hi.\nNote: this stays.\nTeddy Bear: mine.", "Teddy") == "Hi.\nNote: this stays.\nTeddy Bear: mine."
    )
    assert said("Teddy: Hi.") == "Teddy: Hi."
    assert said("It is 8:30, Teddy: go!", "Teddy") == "It is 8:30, Teddy: go!"


def test_a_chain_of_thought_is_never_spoken_even_if_it_never_ends() -> None:
    assert said("<think>Hm. (What now?)\n\nWell.") == ""
    assert said("<THINK>Hm.</THINK>Hello.") == "Hello."


def test_the_answer_behind_a_mood_that_is_also_a_thought_is_spoken() -> None:
    assert said("<思考>好呀！我们下棋吧。") == said("‹思考>好呀！我们下棋吧。") == "好呀！我们下棋吧。"
    assert said("<思考>他在哪儿？</思考>好呀！") == "好呀！"
    assert said("<思考>他在哪儿？\n\n好呀！") == "好呀！"
    assert said("<思考>他在哪儿？</think>好呀！") == "好呀！"
    assert said("<think/>Hello.") == "Hello."
    assert said("<think>One.\n\nTwo.\n\nThree.") == ""


@pytest.mark.parametrize(
    "text", ["2 * 3 = 6", "a*b", "1) one 2) two", "3 < 5 > 2", "snake_case", "~5", "3~5", "#1", "8:30", "50%"]
)
def test_signs_that_mean_something_are_kept(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize("name", XIAOZHI_EMOTIONS)
@pytest.mark.parametrize("form", ["[{}]", "<{}>", "【{}】", '{{"emotion": "{}"}}', "{{emotion: {}}}"])
def test_a_label_of_the_xiaozhi_emotions_is_a_tag(name: str, form: str) -> None:
    if form.format(name) == "<thinking>":
        pytest.skip("that is how models begin a chain of thought, which is never spoken")
    speech, cues = played([form.format(name) + " Hello."])
    feeling = XIAOZHI_EMOTIONS[name]
    assert speech == "Hello."
    assert cues == [Cue(feeling.emotion, feeling.gesture, feeling.intensity, 0, "tag")]
