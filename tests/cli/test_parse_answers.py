"""`companion parse` leaves out what the mind leaves out: thoughts, and lines of other speakers."""

from __future__ import annotations

import pytest

from companion.cli.parse import parse_deltas


@pytest.mark.parametrize(
    ("text", "language", "speech"),
    [
        ("I should be warm.\n</think>\n\nGood morning, little one!", "en", "Good morning, little one!"),
        ("Momo: I found honey!\nUser: Give me some!\nMomo: Here you are.", "en", "I found honey!"),
        ("我找到蜂蜜了！\n用户：给我一点！", "zh", "我找到蜂蜜了！"),
        ("Ich habe Honig!\nNutzer: Gib mir was!", "de", "Ich habe Honig!"),
    ],
)
def test_what_is_not_meant_to_be_heard_is_left_out(text: str, language: str, speech: str) -> None:
    assert parse_deltas([text], "Momo", language)["speech"] == speech
