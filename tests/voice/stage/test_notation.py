"""Text in another notation: what is said of TeX, HTML entities, escapes, calls of functions and JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.staging import played, said

JSON = '{"text": "Hello there!", "emotion": "happy"}'


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (r"Three and four apples are \(7\) apples.", "Three and four apples are 7 apples."),
        (r"So $3 \times 4 = 12$ apples. That is $$12$$ in all.", "So 3 × 4 = 12 apples. That is 12 in all."),
        (r"The answer is \boxed{12}.", "The answer is 12."),
        (r"\[ x^2 + 1 = 5 \] so \(x = 2\).", "x² + 1 = 5 so x = 2."),
        (r"It is \frac{1}{2} of \(\sqrt{16}\).", "It is 1/2 of √16."),
        (r"\(2^{10} \leq 1{,}024\)", "2^10 ≤ 1,024"),
        (r"The \textbf{big} bear", "The big bear"),
        (r"\(\text{two} + x_1\)", "two + x1"),
        ("It costs $5 and $6.", "It costs $5 and $6."),
        ("I have $20.", "I have $20."),
        ("If f(x) = 2x then f(3) = 6.", "If f(x) = 2x then f(3) = 6."),
        ("friend(s) come", "friend(s) come"),
        ("Hello(waves) there", "Hello there"),
        ("Tom &amp; Jerry say &quot;hi&quot;&hellip; it&#39;s fun", 'Tom & Jerry say "hi"… it\'s fun'),
        ("&lt;i&gt;So&lt;/i&gt; nice", "So nice"),
        ("Tom & Jerry; you", "Tom & Jerry; you"),
        (r"Hello\nWorld\n\nBye", "Hello\nWorld\nBye"),
        (r"caf\u00e9", "café"),
        (r"C:\new folder", r"C:\new folder"),
    ],
)
def test_no_number_and_no_word_is_lost(text: str, spoken: str) -> None:
    assert said(text) == spoken
    assert played(list(text))[0] == spoken


@pytest.mark.parametrize(
    ("text", "spoken", "emotions"),
    [
        (JSON, "Hello there!", ["happy"]),
        (f"```json\n{JSON}\n```", "Hello there!", ["happy"]),
        ('{"mood": "sad", "response": {"content": "Oh no."}}', "Oh no.", ["sad"]),
        ('{"messages": 1, "answer": ["Hi.", "Bye."]}', "Hi. Bye.", []),
        ('{"text": "(waves) Hi"}', "Hi", [None]),
        ('{"emotion": "happy"} Hello', "Hello", ["happy"]),
        ('Say {"text": "no"} Hello', "Say Hello", []),
    ],
)
def test_an_answer_that_is_json_gives_its_text(text: str, spoken: str, emotions: list[str | None]) -> None:
    for deltas in ([text], list(text)):
        speech, cues = played(deltas)
        assert (speech.strip(), [cue.emotion for cue in cues]) == (spoken, emotions)


@given(
    st.lists(
        st.sampled_from(
            ["\\(", "\\)", "$", "$$", "\\frac{", "}", "{", '{"a":', "&", ";", "&lt;", "7", "x^2 ", "\\n", "\\u00", " "]
        )
    )
)
def test_any_pieces_end_the_same_however_they_are_cut(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert played([text]) == played(pieces) == played(list(text))
