"""The rolling summary of what was said: what the model is asked to write, and what is kept of its answer. Pure.

Each summary is made of the one before and the exchanges since then, and never grows beyond `MOST_TOKENS`. Tokens are
estimated, on the safe side: 1 for each Chinese or Japanese character, 1 for each 3 others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from companion.config.persona import Language
from companion.mind.memory.index_words import HAN, HIRAGANA, KATAKANA

MOST_TOKENS = 1000

_CJK = re.compile(f"[{HAN}{HIRAGANA}{KATAKANA}\u3000-\u303f\uff00-\uffef\uac00-\ud7af]")


class Spoken(Protocol):
    """One exchange, as `companion.mind.memory.long_term.Exchange`."""

    @property
    def said(self) -> str: ...
    @property
    def heard(self) -> str: ...
    @property
    def speaker(self) -> str: ...


MARKERS: dict[Language, str] = {
    "en": "Summary of a conversation:",
    "zh": "对话摘要：",
    "ja": "会話の要約：",
    "id": "Ringkasan percakapan:",
}
"""How `instruction` begins; by this the emulator knows such a request."""

_INSTRUCTIONS: dict[Language, str] = {
    "en": "write what somebody needs to know who goes on with this talk another day. You get the summary so far "
    "and what "
    "was said since; make one new summary of both. First the facts about the person (name, age, family, pets, likes, "
    "dislikes), then promises and plans with their days, then what is still open, then what was talked about. "
    "What was "
    "said later is right where the two differ. Only what was really said; nothing invented. In English, in the third "
    "person, plain sentences without headings, lists or markup, at most 600 words.",
    "zh": "写出改天继续这段对话的人需要知道的内容。你会得到此前的摘要和之后的对话，请合并成一份新的摘要。"
    "先写关于对方的事实（名字、年龄、"
    "家人、宠物、喜好、不喜欢的东西），再写约定和计划及其日期，然后写还没说完的事，最后写聊过的话题。"
    "前后不一致时以后说的为准。"
    "只写真正说过的，不要编造。用中文、第三人称、通顺的句子，不要标题、列表或标记，不超过800个字。",
    "ja": "別の日にこの会話を続ける人が知っておくべきことを書いてください。"
    "これまでの要約とその後の会話を渡すので、一つの新しい要約に"
    "まとめてください。"
    "まず相手についての事実（名前、年齢、家族、ペット、好きなもの、嫌いなもの）、次に約束や予定とその日付、"
    "それからまだ終わっていない話、最後に話した話題を書きます。食い違うときは後で言われたほうが正しいとします。"
    "実際に話されたことだけを"
    "書き、作り話はしないでください。"
    "日本語で、三人称で、見出しや箇条書きや記号を使わない普通の文で、800字以内にしてください。",
    "id": "tulis apa yang perlu diketahui orang yang melanjutkan percakapan ini di hari lain. Kamu mendapat "
    "ringkasan "
    "sebelumnya dan apa yang dikatakan setelah itu; gabungkan menjadi satu ringkasan baru. Pertama fakta tentang "
    "orang itu "
    "(nama, umur, keluarga, hewan peliharaan, yang disukai dan tidak disukai), lalu janji dan rencana beserta "
    "harinya, lalu "
    "hal yang belum selesai, lalu apa yang dibicarakan. Jika berbeda, yang dikatakan belakangan yang benar. "
    "Hanya yang "
    "benar-benar dikatakan; jangan mengarang. Dalam bahasa Indonesia, sudut pandang orang ketiga, kalimat biasa "
    "tanpa judul, "
    "daftar atau tanda, paling banyak 600 kata.",
}
_LABELS: dict[Language, tuple[str, str, str, str]] = {
    "en": ("The summary so far:", "What was said since:", "Person", "Character"),
    "zh": ("此前的摘要：", "之后的对话：", "对方", "角色"),
    "ja": ("これまでの要約：", "その後の会話：", "相手", "キャラクター"),
    "id": ("Ringkasan sebelumnya:", "Yang dikatakan setelah itu:", "Orang", "Tokoh"),
}


def tokens(text: str) -> int:
    """About how many tokens the text has; rather too many than too few."""
    cjk = len(_CJK.findall(text))
    return cjk + -(-(len(text) - cjk) // 3)


def instruction(language: Language) -> str:
    """The system message of a request for a summary. Begins with `MARKERS[language]`."""
    blank = "" if language in ("zh", "ja") else " "
    return f"{MARKERS[language]}{blank}{_INSTRUCTIONS[language]}"


def request_text(previous_summary: str, exchanges: Sequence[Spoken], language: Language) -> str:
    """The user message of that request: the summary so far (where there is one), then the exchanges line by line."""
    so_far, since, person, character = _LABELS[language]
    lines = [so_far, previous_summary.strip(), ""] if previous_summary.strip() else []
    lines.append(since)
    for one in exchanges:
        if one.said.strip():
            lines.append(f"{person}: {_one_line(one.said)}")
        if one.heard.strip():
            lines.append(f"{one.speaker or character}: {_one_line(one.heard)}")
    return "\n".join(lines)


_MARKUP = (
    (re.compile(r"```\w*\n?|`"), ""),
    (re.compile(r"^[ \t]*(?:#{1,6}|>|[-*•·]|\d{1,2}[.)、])[ \t]+", re.MULTILINE), ""),
    (re.compile(r"\*\*|__|~~"), ""),
    (re.compile(r"(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)"), ""),
    (re.compile(r"^[ \t]*[-=_*|]{3,}[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"</?\w+[^>\n]*>"), ""),
)
_ENDS = re.compile(r"[.!?。！？…](?:[\"'”’」』)）]*)(?=\s|$|[\u3040-\u9fff])|\n")


def bounded(text: str) -> str:
    """The model's answer as it is kept: no markup, and not longer than `MOST_TOKENS`, cut where a sentence ends."""
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r"\s*\n\s*", "\n", text).strip()
    for marker in MARKERS.values():
        text = text.removeprefix(marker).lstrip()
    if tokens(text) <= MOST_TOKENS:
        return text
    # The estimate grows with every character: the longest beginning that fits is found by halving.
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if tokens(text[:middle]) <= MOST_TOKENS:
            low = middle
        else:
            high = middle - 1
    head = text[:low]
    ends = [match.end() for match in _ENDS.finditer(head)]
    return head[: ends[-1]].strip() if ends else head.rsplit(" ", 1)[0].strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
