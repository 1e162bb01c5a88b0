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
        ("en", "Mia", 'Mia tilts her head. "Did you hear that?" she asks softly.', "Did you hear that?", ["tilt_head"]),
        (
            "en",
            "Mia",
            "I lean closer and smile. “What a drawing!” I say.",
            "What a drawing!",
            ["lean_in"],
        ),
        ("en", "Mia", 'She waves.\n\n"Hello!"\n\nMia smiles. "Come in."', "Hello! Come in.", ["wave", "happy"]),
        ("en", "Mia", "‘Come in,’ says the bear, waving. ‘It’s cold.’", "‘Come in,’ ‘It’s cold.’", ["wave"]),
        ("de", "Mia", "»Komm rein«, sagt der Bär und winkt. »Es ist kalt.«", "Komm rein Es ist kalt.", ["wave"]),
        ("fr", "Mia", "« Viens vite ! » dit-elle en souriant. « Entre. »", "Viens vite ! Entre.", ["happy"]),
        ("fr", "Mia", "— Viens vite, dit-elle en souriant. Il fait froid.", "Viens vite, Il fait froid.", ["happy"]),
        ("fr", "Mia", "— Tu vois, il fait beau.\n— Où est-il, dis ?", "Tu vois, il fait beau. Où est-il, dis ?", []),
        ("es", "Mia", "—Pasa —responde la osita, sonriendo.\n—Ella viene.", "Pasa Ella viene.", ["happy"]),
        ("pt", "Mia", "— Claro! — diz ela, sorrindo. — Vamos.", "Claro! Vamos.", ["happy"]),
        ("id", "Mia", '"Ayo masuk," kata Mia sambil tersenyum. "Dingin."', "Ayo masuk, Dingin.", ["happy"]),
        ("ko", "토리", '"어서 와!" 토리가 손을 흔들며 말했다. "추웠지?"', "어서 와! 추웠지?", ["wave"]),
        ("zh", "小熊", "小熊歪了歪头。「你今天好吗？」", "你今天好吗？", ["tilt_head"]),
        ("ja", "モモ", "モモは首をかしげた。「どうしたの？」", "どうしたの？", ["tilt_head"]),
        ("ja", "くま", "くまは笑った。「おはよう」\n「入って」", "おはよう 入って", ["happy"]),
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
        'She is my friend. "Frozen" is her favourite film.',
        'I asked the crow. "Why?" it said.',
        "Mia is my name.",
    ],
)
def test_stories_titles_and_other_sentences_stay(text: str) -> None:
    assert shown(text, "en", "Mia") == (" ".join(text.replace('"', " ").split()), [])
