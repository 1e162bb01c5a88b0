"""What the model is asked for a summary, and what is kept of its answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from companion.languages.language import language
from companion.languages.loader import language_codes
from companion.mind.summary import MOST_TOKENS, count_tokens, summary_instruction, summary_request, trim_summary

ENGLISH = language("en")


class Said:
    def __init__(self, said: str, heard: str, speaker: str = "") -> None:
        self.said, self.heard, self.speaker = said, heard, speaker


def test_a_request_for_a_summary_holds_the_last_one_and_every_line() -> None:
    text = summary_request(
        "They have a dog.", [Said("i like\ncats", "Me too!"), Said("", "Are you there?", "Pip")], ENGLISH
    )
    assert text.index("They have a dog.") < text.index("Person: i like cats") < text.index("Pip: Are you there?")
    assert "summary so far" not in summary_request("", [], ENGLISH)
    for code in language_codes():
        assert summary_instruction(language(code)).startswith(language(code).prompts.summary.marker)


def test_a_summary_is_plain_and_ends_with_a_sentence() -> None:
    assert (
        trim_summary("## Facts\n\n- **Ana** is *seven*.\n1. She has `Rex`.\n---\n", ENGLISH)
        == "Facts\nAna is seven.\nShe has Rex."
    )
    long = trim_summary("Ana likes pizza very much. " * 300, ENGLISH)
    assert long.endswith("much.")
    assert MOST_TOKENS * 0.9 < count_tokens(long) <= MOST_TOKENS
    chinese = trim_summary("小明喜欢狗。" * 500, ENGLISH)
    assert chinese.endswith("。")
    assert count_tokens(chinese) <= MOST_TOKENS


@given(st.text(alphabet="ab 。.*_#`-\n[]()<>我犬", max_size=6000) | st.text(max_size=400))
def test_a_summary_is_always_within_its_bound(text: str) -> None:
    assert count_tokens(trim_summary(text, ENGLISH)) <= MOST_TOKENS
