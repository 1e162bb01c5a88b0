"""Lines with a label: what is not spoken of them, in every language, however the answer is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import Cue
from companion.languages.understood import understood
from companion.voice.stage.stage import Stage
from tests.support.staging import played


def shown(text: str, code: str = "en", name: str | None = "Momo") -> tuple[str, list[str]]:
    both = []
    for deltas in ([text], list(text)):
        stage = Stage(name, understood(code))
        pieces = [piece for delta in deltas for piece in stage.feed(delta)] + stage.close()
        spoken = "".join(one for one in pieces if isinstance(one, str))
        both.append((spoken.strip(), [one.gesture or one.emotion or "" for one in pieces if isinstance(one, Cue)]))
    assert both[0] == both[1]
    return both[0]


@pytest.mark.parametrize(
    ("code", "text", "spoken"),
    [
        ("en", "OOC: I am an AI.\nHello!", "Hello!"),
        ("en", "Hello!\n\nOOC: shall I go on?", "Hello!"),
        ("en", "Hi. OOC: what next?", "Hi."),
        ("en", "(OOC: sorry)\nHello!", "Hello!"),
        ("en", "((Is this ok?)) Hi.", "Hi."),
        ("en", "Out of character: no.\nHello!", "Hello!"),
        ("en", "Momo: Thought: The child is sad.\nMomo: Hello there.", "Hello there."),
        ("en", "Thinking: be kind.\nHello.", "Hello."),
        ("en", "**Thoughts:** be kind\nHello.", "Hello."),
        ("en", "**Inner monologue**: I am tired.\nGood day.", "Good day."),
        ("en", "*Thought:* I am tired.\nGood day.", "Good day."),
        ("en", "*Thought: I am tired* Hello!", "Hello!"),
        ("en", "Thinking:\nThe child is sad.\nI am kind.\n\nHello.", "Hello."),
        ("en", "Thought: greet.\nAction: wave\nFinal answer: Hello.", "Hello."),
        ("en", "**Thought:**\ngreet\n**Answer:**\nHello.", "Hello."),
        ("en", "My first thought: honey!", "My first thought: honey!"),
        ("en", "Thoughtful bears: they nap.", "Thoughtful bears: they nap."),
        ("zh", "内心独白：他很难过。\n你好！", "你好！"),
        ("ja", "心の声：悲しそう。\nこんにちは！", "こんにちは！"),
        ("id", "Pikiran: dia sedih.\nHalo!", "Halo!"),
        ("de", "Innerer Monolog: Es ist traurig.\nHallo!", "Hallo!"),
        ("de", "Gedanke: Es ist traurig.\nHallo!", "Hallo!"),
        ("es", "Pensamiento: está triste.\n¡Hola!", "¡Hola!"),
        ("fr", "Pensée : il est triste.\nBonjour !", "Bonjour !"),
        ("ko", "속마음: 슬퍼 보여.\n안녕!", "안녕!"),
        ("pt", "Pensamento: está triste.\nOlá!", "Olá!"),
    ],
)
def test_what_is_thought_or_said_about_the_play_is_not_spoken(code: str, text: str, spoken: str) -> None:
    assert shown(text, code)[0] == spoken


@pytest.mark.parametrize(
    ("code", "text", "spoken", "acts"),
    [
        ("en", "emotion: happy\nreply: Hi there!", "Hi there!", ["happy"]),
        ("en", "mood: sad\naction: waves\nresponse: Oh no.\nAre you hurt?", "Oh no.\nAre you hurt?", ["sad", "wave"]),
        ("en", "reply: Hi there!\nemotion: happy\nintensity: 0.8", "Hi there!", ["happy"]),
        ("en", "Reply: Hi there!\nEmotion: happy", "Hi there!", ["happy"]),
        ("en", "---\nemotion: happy\nsay: |\n  Hi there.\n  Bye.\n---", "Hi there.\nBye.", ["happy"]),
        ("en", "**Mood:** happy\n**Speech:** Hi!", "Hi!", ["happy"]),
        ("en", "- emotion: happy\n- text: Hi!", "Hi!", ["happy"]),
        ("en", "Answer: it is four.", "Answer: it is four.", []),
        ("en", "Message: come home. Bye!", "Message: come home. Bye!", []),
        ("en", "Hello!\nMood: happy", "Hello!\nMood: happy", []),
        ("en", "Action: let us go! Come on!", "Action: let us go! Come on!", []),
        ("zh", "情绪：开心\n回复：你好！", "你好！", ["happy"]),
        ("ja", "感情：嬉しい\n返答：やあ！", "やあ！", ["happy"]),
        ("id", "emosi: senang\nbalasan: Halo!", "Halo!", ["happy"]),
        ("de", "Stimmung: fröhlich\nAntwort: Hallo!", "Hallo!", ["happy"]),
        ("es", "emoción: feliz\nrespuesta: ¡Hola!", "¡Hola!", ["happy"]),
        ("fr", "émotion : content\nréponse : Bonjour !", "Bonjour !", ["happy"]),
        ("ko", "감정: 기쁨\n답변: 안녕!", "안녕!", ["happy"]),
        ("pt", "emoção: feliz\nresposta: Olá!", "Olá!", ["happy"]),
    ],
)
def test_of_an_answer_like_a_form_only_what_is_said_is_spoken(
    code: str, text: str, spoken: str, acts: list[str]
) -> None:
    assert shown(text, code) == (spoken, acts)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Bears[^1] like honey.\n\n[^1]: See the book.", "Bears like honey."),
        ("Look here.\n[1]: https://example.com/a\nBye.", "Look here.\nBye."),
        ("Look ![a bear](b.png) here.", "Look here."),
    ],
)
def test_footnotes_and_pictures_are_not_spoken(text: str, spoken: str) -> None:
    assert shown(text)[0] == spoken


@given(
    st.lists(
        st.sampled_from(
            [
                "OOC",
                "Thought",
                "mood",
                "reply",
                ":",
                "：",
                "\n",
                "\n\n",
                " ",
                "*",
                "**",
                "- ",
                "|",
                "happy",
                "[^1]",
                "x_y",
                ".",
            ]
        )
    )
)
def test_any_pieces_end_the_same_however_they_are_cut(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert played([text]) == played(pieces) == played(list(text))
