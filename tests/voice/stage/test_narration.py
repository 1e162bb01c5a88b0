"""Novel style: prose about the character around its quoted words is acted and not said; stories keep theirs."""

from __future__ import annotations

import pytest

from companion.events import Cue
from companion.languages.understood import understood
from companion.voice.stage.stage import Stage


def shown(text: str, code: str, name: str) -> tuple[str, list[str]]:
    """What is spoken, without quotation marks, and acted, the same however the answer is cut."""
    both = []
    for deltas in ([text], list(text)):
        stage = Stage(name, understood(code))
        pieces = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
        spoken = "".join(one for one in pieces if isinstance(one, str))
        words = " ".join(spoken.translate(dict.fromkeys(map(ord, '"“”„«»「」—'), " ")).split())
        both.append((words, [one.gesture or one.emotion or "" for one in pieces if isinstance(one, Cue)]))
    assert both[0] == both[1]
    return both[0]


@pytest.mark.parametrize(
    ("code", "name", "text", "spoken", "acts"),
    [
        ("en", "Mia", '"You came," she smiles. "Shall we go?"', "You came, Shall we go?", ["happy"]),
        ("en", "Mia", "“Hi!” Mia giggles. “Come in!”", "Hi! Come in!", ["amused"]),
        ("en", "Mia", 'She waves: "Hello you."', "Hello you.", ["wave"]),
        ("de", "Bruno", "„Na so was“, lacht er. „Komm rein.“", "Na so was Komm rein.", ["amused"]),
        ("es", "Lucero", "—Pasa —dice ella, sonriendo—. Hace frío.", "Pasa . Hace frío.", ["happy"]),
        ("fr", "Pistache", "« Viens », dit-elle en souriant. « Il fait froid. »", "Viens Il fait froid.", ["happy"]),
        ("ko", "토리", '"어서 와." 그녀가 웃으며 말했다. "춥지?"', "어서 와. 춥지?", ["happy"]),
        ("zh", "小熊", "她笑着看着你：“外面冷吗？”小熊点点头。“快进来。”", "外面冷吗？ 快进来。", ["happy", "nod"]),
        ("ja", "くま", "「入って」と彼女は笑った。「寒かったでしょ？」", "入って 寒かったでしょ？", ["happy"]),
    ],
)
def test_prose_about_the_character_is_not_said(code: str, name: str, text: str, spoken: str, acts: list[str]) -> None:
    words, cues = shown(text, code, name)
    assert words.replace(" .", ".") == spoken.replace(" .", ".")
    assert cues == acts


@pytest.mark.parametrize(
    "text",
    [
        '"Who is there?" asked the wolf. "It is me."',
        'Once upon a time the wolf said: "Let me in!" He huffed.',
        '"Frozen" is my favourite film.',
        '"Moana" she likes best.',
        'He said "no" and left.',
        "She is my friend.",
    ],
)
def test_stories_titles_and_other_sentences_stay(text: str) -> None:
    assert shown(text, "en", "Mia") == (" ".join(text.replace('"', " ").split()), [])
