"""The speaker's name before a line, which models write and nobody says: `Teddy: Hello`. Pure.

A persona's name is known. Where it is not (`companion parse` without `--name`), the answer's first line tells: one to
three capitalised words, or two to five Chinese or Japanese characters, before a colon - unless they are words that
lead in what is really said, such as `Note:` or `\u5988\u5988\u8bf4\uff1a` ("mother says:").
"""

from __future__ import annotations

import re

from companion.voice.brackets import OPENING, bracket, star
from companion.voice.lookahead import Lookahead, Token

_LONGEST = 32
_COLONS = ":："
_LATIN = re.compile(r"[A-ZÀ-Þ][\w'’.-]*(?: [A-ZÀ-Þ][\w'’.-]*){0,2}")
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff·]{2,5}")
_LEAD_INS = frozenset(
    # English
    {"note", "notes", "listen", "look", "warning", "remember", "tip", "tips", "hint", "question", "answer", "fact"}
    | {"first", "second", "third", "next", "then", "finally", "okay", "ok", "yes", "no", "well", "also", "ps", "p.s."}
    | {"example", "reminder", "careful", "attention", "rule", "step", "result", "plan", "idea", "secret", "truth"}
    | {"guess", "one", "two", "three", "here", "so", "and", "but", "now", "today", "option", "news", "update", "goal"}
    | {"hello", "joke", "riddle", "story", "poem", "song", "title", "summary", "conclusion", "problem", "moral"}
    | {"important", "spoiler", "disclaimer", "bonus", "breaking", "pro", "fun", "quick", "trivia", "clue", "rules"}
    | {"wow", "sorry", "oh", "ah", "hey", "hi", "right", "sure", "alright", "wait", "please"}
    | {"time", "date", "place", "location", "weather", "scene", "setting", "day", "part", "chapter", "level", "score"}
    | {"ingredients", "steps", "recipe", "reason", "reasons", "solution", "translation", "meaning", "definition"}
    | {"simple", "this", "that", "these", "it's", "or", "because", "q", "mission", "task"}
    | {"meanwhile", "later", "spell", "menu", "name", "age", "word", "challenge", "email", "phone", "address"}
    # Indonesian
    | {"catatan", "ingat", "misalnya", "contoh", "jadi", "pertanyaan", "jawaban", "tips", "awas", "perhatian", "lalu"}
    | {"penting", "resep", "waktu", "tempat", "cuaca", "alasan", "soal", "judul", "info", "bahan", "cara", "langkah"}
    | {"nah", "maaf", "wah", "oke", "halo", "hai", "hari", "tanggal", "cerita", "lagu", "pesan", "arti", "nama"}
    | {"dengar", "lihat", "pertama", "kedua", "ketiga", "rahasia", "ide", "petunjuk", "kesimpulan", "aturan"}
    # Chinese and Japanese
    | {"注意", "提示", "记住", "问题", "答案", "例如", "比如", "结果", "首先", "其次", "最后", "总之", "警告"}
    | {"结论", "原因", "步骤", "秘密", "规则", "重点", "建议", "听好", "听着", "题目", "谜语", "故事", "目标"}
    | {"一句话", "第一步", "重要", "天气", "时间", "地点", "日期", "标题", "主题", "内容", "提醒", "小贴士"}
    | {"任务", "线索", "材料", "做法", "理由", "解释", "翻译", "意思", "场景", "天气预报", "你好", "抱歉"}
    | {"对不起", "哇", "简单", "第二步", "第三步", "第一", "第二", "第三", "方法", "选项", "谜底", "情况", "名字"}
    | {"地址", "电话", "儿歌", "歌词", "時間", "場所", "天気", "日付", "手順", "お題", "なぞなぞ", "名前"}
    | {"お知らせ", "今日", "明日", "意味", "歌詞", "提案", "大事", "ヒント", "質問", "答え", "注意点", "例えば"}
    | {"たとえば", "結論", "まとめ", "ルール", "つまり", "問題"}
)
_SAYS = "说道问答喊是曰想言云叫讲写着有看听了のはがをにと"
"""What ends a clause before a colon, but no name."""
_POINTS = "我你他她它这那此其有是"
"""What begins a clause, but no name."""


def name(look: Lookahead, start: int, folded: str) -> Token | None:
    """The speaker's own name before a colon, a direction between them included: `Teddy (smiles): Hello`."""
    for offset, expected in enumerate(folded):
        if look.at(start + offset).casefold() != expected:
            return None
    index = look.skip("*_ \t", start + len(folded))
    said = ""
    ch = look.at(index)
    if ch and (ch in OPENING or look.text[index - 2 : index].lstrip() == "*"):
        opening = index if ch in OPENING else index - 1
        inner = bracket(look, opening) if ch in OPENING else star(look, opening)
        if inner.kind == "direction" and "\n" not in look.text[opening : inner.end]:
            said, index = inner.value, look.skip("*_ \t", inner.end)
    if not (ch := look.at(index)) or ch not in ":：":
        return None
    # What follows the colon may be a direction's star: only the partner of a bold mark before the name goes.
    bold = look.text[start - 2 : start] if start >= 2 else ""
    end = index + 3 if bold in ("**", "__") and look.starts(bold, index + 1) else index + 1
    return Token(end, "direction", said)


def guess(look: Lookahead, start: int) -> str:
    """The name that the line at `start` seems to begin with, in lower case; empty where there is none."""
    end = start
    while (ch := look.at(end)) and end - start < _LONGEST and ch not in _COLONS + "*\n" and ch not in OPENING:
        end += 1
    words = look.text[start:end].strip(" _")
    if not ch or ch == "\n" or not words or not _is_name(words):
        return ""
    if ch in _COLONS and (after := look.at(end + 1)) and (after.isdigit() or after in "/)("):
        return ""
    if ch in _COLONS and look.text[end - 1].isspace() and after and not after.isspace():
        # A smiley, as in `Great :D`.
        return ""
    folded = words.casefold()
    return folded if name(look, start, folded) else ""


def _is_name(words: str) -> bool:
    if _LATIN.fullmatch(words):
        return not any(word in _LEAD_INS for word in words.casefold().split())
    if _EAST_ASIAN.fullmatch(words):
        return words not in _LEAD_INS and words[-1] not in _SAYS and words[0] not in _POINTS
    return False
