"""A number outside of a direction is never lost, whatever stands around it, in every language."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.events import Cue
from companion.languages.understood import understood
from companion.voice.sentences import Sentences
from companion.voice.stage.stage import Stage

SENTENCES = {
    "en": (
        "It costs {}.",
        "We meet at {}, my friend!",
        "{} is right.",
        "The answer: {}",
        "I have {} bears and *smile*.",
    ),
    "zh": ("要{}。", "答案是{}，对吗？", "{}就对了！", "我有{}只熊。"),
    "ja": ("{}です。", "答えは{}だよ！", "{}だね、わかった？", "熊が{}いる。"),
    "id": ("Harganya {}.", "Kita bertemu {}, ya!", "{} itu benar.", "Jawabannya: {}"),
    "de": ("Das kostet {}.", "Wir treffen uns {}, ja?", "{} stimmt.", "Die Antwort: {}"),
    "es": ("Cuesta {}.", "¡Nos vemos {}, amigo!", "{} es correcto.", "La respuesta: {}"),
    "fr": ("Ça coûte {}.", "On se voit {}, mon ami !", "{} est juste.", "La réponse : {}"),
    "ko": ("{} 이에요.", "답은 {}, 맞죠?", "{} 맞아요!", "정답: {}"),
    "pt": ("Custa {}.", "A gente se vê {}, amigo!", "{} está certo.", "A resposta: {}"),
}
SHAPES = (
    "{a}", "${a}", "{a} €", "${a}.{b}", "{a},{b} €", "¥{a}", "{a}%", "{a}:{c}", "{a}:{c}:{c}", "{a}h{c}",
    "{a}.{c} Uhr", "{a}:{b}", "{a} : {b}", "{a}/{b}", "{a} - {b}", "{a}-{b}", "{a}–{b}", "{a}~{b}", "{a} ~ {b}",
    "~{a}", "+{a} {b}-{b}", "({a}) {b}-{b}", "({a})", "({a} + {b}) × {a} = {b}", "{a}*{b}", "{a} * {b}", "{a}**{b}",
    "{a}×{b}", "{a} < {b}", "{a}<{b}", "{a} > {b} >= {a}", "{a}^{b}", "{a}²", "{a}_{b}", "#{a}", "№ {a}", "{a}.",
    "{a}) x {b}) y", "{a}. x {b}. y", "{b}.{c}.2{a}", "20{c}-{c}-{c}", "{c}/{c}/20{c}", r"\({a}\)",
    "${a} + {b} = {a}$", r"$\frac{{{a}}}{{{b}}}$", r"\boxed{{{a}}}", r"\[ {a} \times {b} \]", "f({a}) = {b}",
    "**{a}**", "*{a}*", "_{a}_", "`{a}`", "~~{a}~~", "<b>{a}</b>", '"{a}"', "'{a}'", "{a}!", "{a}…{b}",
    "{a}, {b}, {a}", "{a};{b}", "{a}|{b}", "| {a} | {b} |", "{a}°", "-{a}", "−{a}", "{a}k", "{a}kg", "v{a}.{b}",
    "{a}@{b}", "{a}&{b}", "{a} = {b}", "{a}={b}", r"{a}\{b}", "[{a}](https://a.bc)", "**{a}.** {b}", "*${a}*",
    "*{a}:{c}!*", "*{a},{b} €*", "({a}:{c})", "（{a}）", "({a}%)", "({b}-{c})", "(${a})", "({a} €)", "*{a} {b}*",
    "{a}️", "{a} ★", "=> {a}", "-> {a}", "> {a}", "- {a}", "# {a}", "\n{a}. {b}\n",
)  # fmt: skip


def digits(text: str) -> list[str]:
    return re.findall(r"\d|[²]", text)


def spoken(text: str, code: str) -> str:
    stage, sentences = Stage("Momo", understood(code)), Sentences(languages=understood(code))
    pieces = [*stage.feed(text), *stage.close()]
    heard = [one for piece in pieces for one in sentences.feed(piece)] + sentences.close()
    assert not all(isinstance(piece, Cue) for piece in pieces)
    return " ".join(one.text for one in heard)


@pytest.mark.parametrize("code", list(SENTENCES))
@given(
    data=st.data(),
    a=st.integers(1, 9999).map(str),
    b=st.integers(10, 99).map(str),
    c=st.integers(10, 59).map(str),
)
def test_no_number_is_lost(code: str, data: st.DataObject, a: str, b: str, c: str) -> None:
    sentence = data.draw(st.sampled_from(SENTENCES[code]))
    shapes = data.draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=2))
    text = " ".join(sentence.format(shape.format(a=a, b=b, c=c)) for shape in shapes)
    assert digits(spoken(text, code)) == digits(text)
