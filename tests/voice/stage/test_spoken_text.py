"""What was taken out leaves no trace: blanks, punctuation and quotation marks stand as if it had not been there."""

from __future__ import annotations

import pytest

from companion.events import Cue
from companion.voice.stage.stage import Stage
from tests.support.staging import played, said, shown


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hi (waves), you", "Hi, you"),
        ("Hi, (waves), you", "Hi, you"),
        ("Hi! (waves). You", "Hi! You"),
        ("Hi (waves). You", "Hi. You"),
        ("Hi (waves).You", "Hi.You"),
        ("Hi.(waves).You", "Hi. You"),
        ("(waves), hi", "hi"),
        ("(waves) .hi", "hi"),
        ("Hi (waves)% you", "Hi% you"),
        ("Hi (waves) : you", "Hi: you"),
        ("Hi~(waves), you", "Hi, you"),
        ("(waves) ... you", "... you"),
        ("(waves)... you", "... you"),
        ("Hi (waves)... you", "Hi... you"),
        ("Hi (waves) ... you", "Hi ... you"),
        ("Hi ... (waves) you", "Hi ... you"),
        ("Hi (waves) — you", "Hi — you"),
        ("Hi —(waves) you", "Hi — you"),
    ],
)
def test_punctuation_closes_up_and_an_orphan_goes(text: str, spoken: str) -> None:
    assert shown(text) == (spoken, ["wave"])


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ('"(waves) Hi," it says', '"Hi," it says'),
        ('He said "(waves) Hi"', 'He said "Hi"'),
        ('He said "Hi (waves)" and so', 'He said "Hi" and so'),
        ('He said "Hi" (waves) and so', 'He said "Hi" and so'),
        ('"Hi"(waves)"you"', '"Hi" "you"'),
        ('"Hi"(waves)you', '"Hi" you'),
        ("“(waves) Hi”", "“Hi”"),
        ("‘(waves)Hi’", "‘Hi’"),
        ("Hi(waves)“you”", "Hi “you”"),
        ("Hi (waves)'you'", "Hi 'you'"),
    ],
)
def test_quotation_marks_stay_at_their_words(text: str, spoken: str) -> None:
    assert shown(text) == (spoken, ["wave"])


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hi(waves)you", "Hi you"),
        ("don't(waves)", "don't"),
        ("你好(waves)你好", "你好你好"),
        ("你好 (waves) 你好", "你好你好"),
        ("你好(waves)Hi", "你好Hi"),
        ("Hi(waves)你好", "Hi你好"),
        ("你好，(waves) 你好", "你好，你好"),
        ("好！(waves) 好", "好！好"),
        ("好! (waves)Hi", "好! Hi"),
        ("你好……(waves)……", "你好…………"),
        ("你好“(waves)好”", "你好“好”"),
        ("好(waves)—好", "好—好"),
        ("Hi：(waves)，you", "Hi：you"),
    ],
)
def test_words_of_writing_with_blanks_do_not_run_together(text: str, spoken: str) -> None:
    assert shown(text) == (spoken, ["wave"])


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hi (waves)\nyou", "Hi\nyou"),
        ("Hi\n(waves)\nyou", "Hi\nyou"),
        ("\n \n Hi\n\n\n you", "Hi\nyou"),
        ("Hi  \t you", "Hi you"),
        ("Hi \r\nyou", "Hi\nyou"),
    ],
)
def test_an_empty_line_is_no_line(text: str, spoken: str) -> None:
    assert said(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hi: 1) one, 2) two", "Hi: 1) one, 2) two"),
        ("a) one\nb) two\niv) four", "a) one\nb) two\niv) four"),
        ("12345) one", "12345 one"),
        ("Hi) you ] there", "Hi you there"),
        ("a|b|", "a b"),
        ("1\\. one\\! a \\ b", "1. one! a b"),
        ("C:\\temp", "C:\\temp"),
        ("\\", ""),
        ("so\xadft, zero\u200bwidth, \ufeffmark, x\ufe01y, a\U000e0041b\U000e007fc", "soft, zerowidth, mark, xy, abc"),
        ("12\ufe0f\u20e3 Hi", "1 Hi"),
        ("room 5\ufe0f\u20e3Hi", "room Hi"),
        ("room 5X #hash #", "room 5X hash"),
    ],
)
def test_single_signs(text: str, spoken: str) -> None:
    assert shown(text) == (spoken, [])


def test_emoji_in_a_row_are_stronger_but_not_without_end() -> None:
    strengths = [played(["😊" * count])[1][0].intensity for count in (1, 2, 3, 9)]
    assert strengths == [0.6, 0.7, 0.8, 1.0]
    assert played(["🎈🎈"]) == ("", [])


def test_a_cue_stands_at_the_end_of_what_was_spoken_before_it() -> None:
    text = "Hi.\n(waves) You 😊 there!\n\n*nods*"
    assert played([text]) == (
        "Hi.\nYou there!\n",
        [
            Cue(None, "wave", 0.6, 4, "direction"),
            Cue("happy", None, 0.6, 7, "emoji"),
            Cue(None, "nod", 0.6, 15, "direction"),
        ],
    )


def test_the_first_line_of_a_list_does_not_begin_with_a_name() -> None:
    assert said("* Momo: Hi\nMomo: you", None) == "Momo: Hi\nMomo: you"


@pytest.mark.parametrize("text", ["Hello", "Hello <3 you", "Well, a*b", "你好，再见"])
def test_words_are_passed_on_as_soon_as_they_are_certain(text: str) -> None:
    stage = Stage("Teddy")
    begun = "".join(piece for piece in stage.feed(f"{text} and ") if isinstance(piece, str))
    assert begun == said(f"{text} and")
