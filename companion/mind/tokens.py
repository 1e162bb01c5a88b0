"""Estimates the number of tokens of a text without the tokenizer: rather too many than too few.

Pure. The service counts plain ChatML with the vocabulary of `qwen.tiktoken` (section 3.2), which is too large for a
device. What matters of it is written out here, by script: a token for each digit, about 0.75 for a Chinese character,
one for each Han character and each frequent piece of kana in Japanese, about one for a Hangul syllable. A text in Latin
letters counts as English where it has enough of the commonest English words; otherwise the vocabulary has its words
only in pieces. `tests/mind/test_tokens.py` compares the estimate with the real vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

MESSAGE_TOKENS = 5
r"""What ChatML puts around each message: `<|im_start|>`, role, `\n` ... `<|im_end|>`, `\n`."""

ANSWER_TOKENS = 3
r"""The open turn at the end, which the answer continues: `<|im_start|>`, `assistant`, `\n`."""

_ENGLISH_WORDS = (
    "a about after again all always am an and any are around as asked at away back be because been before being big "
    "but by came can come could day did didn do does don down each even ever every few find first for found friend "
    "from gave get give go going good got had happy has have he hello help her here hers him his home how i if in into "
    "is isn it its just keep kind know let like little ll long look looked made make man many may me more most much "
    "must my name never new nice night no not now of off oh old on one only or other our out over own people play "
    "please put re right said saw say see she should so some something still such sure take tell than thank that the "
    "their them then there these they thing things think this those three time to today together told too took two "
    "under until up us use very wait want was way we well went were what when where which while who why will with "
    "work would yes yet you your"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_ENGLISH_SHARE = 0.3
"""Of the words of an English text, at least this many are among those; its other words have 1.3 tokens on average."""

_ENGLISH_LETTERS = 3.8
_OTHER_LETTERS = 2.35
"""Letters a token, in the words that are not among those."""

_HAN = 0.84
_HAN_AMONG_KANA = 0.95
"""Tokens a character: common Chinese words of two and three characters are one token, but few Japanese ones are."""

_HANGUL = 1.25
"""Tokens a syllable."""

_KANA = (
    "ありがとうござ かもしれ こんにちは ありがとう なければ について ことができ という ました ません "
    "ている ていた です ます した から また する して しょう でしょう さい しか ください でも "
    "って では とう そして しかし これ それ ちは ただ こと ない よう いる でき にな しい ある "
    "いて もの なく られ れば なり いた あり なん そう んです かった まで だけ など どう ちゃ "
    "われ ころ んで ような たり ため なら てしま くれ より になる でした んだ たち ても だった "
    "ここ まだ とき みたい どの すぎ よね ところ けど がある である できる しく きた くる つけ "
    "たい らい いつ まま すぐ ずっと"
)

_PARTS = re.compile(
    rf"(?P<piece>{'|'.join(sorted(_KANA.split(), key=len, reverse=True))})"
    r"|(?P<kana>[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f])"
    r"|(?P<han>[\u4e00-\u9fff]+)"
    r"|(?P<word>[A-Za-z\u00c0-\u024f]+)"
    r"|(?P<hangul>[\uac00-\ud7a3])"
    r"|(?P<gap>[ ]+(?=[^\s\d]))"
    r"|(?P<blank>[ ]+)"
    r"|(?P<line>[^\S ]+)"
    r"|(?P<run>[!-/:-@\[-`{-~]+)"
    r"|(?P<mark>[\u2010-\u2027\u3000-\u303f\uff00-\uff65])"
    r"|(?P<digit>\d)"
    r"|(?P<other>.)",
    re.DOTALL,
)


def estimate_text_tokens(text: str) -> int:
    """Tokens of a text."""
    words = [word.lower() for word in re.findall("[A-Za-z\u00c0-\u024f]+", text)]
    english = bool(words) and sum(word in _ENGLISH for word in words) >= _ENGLISH_SHARE * len(words)
    letters = _ENGLISH_LETTERS if english else _OTHER_LETTERS
    han = _HAN_AMONG_KANA if re.search("[\u3040-\u30ff]", text) else _HAN
    total = 0.0
    for part in _PARTS.finditer(text):
        found, size = part[0], part.end() - part.start()
        match part.lastgroup:
            case "han":
                total += size * han
            case "word":
                total += 1 if english and found.lower() in _ENGLISH else max(1.0, size / letters)
            case "hangul":
                total += _HANGUL
            case "gap":
                # One space before a word belongs to it.
                total += size > 1
            case "run":
                total += ceil(size / 3)
            case "other":
                # Letters of other scripts, emoji: as many tokens as bytes at worst.
                total += len(found.encode("utf-8", "replace"))
            case _:
                total += 1
    return ceil(total)


def estimate_prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """Tokens of a whole request; a last message with `partial` stays open (section 3.2)."""
    total = sum(MESSAGE_TOKENS + estimate_text_tokens(str(message.get("content", ""))) for message in messages)
    is_open = bool(messages) and messages[-1].get("partial") is True
    # Without the end of its message, an open turn has no header either.
    return total + (ANSWER_TOKENS - MESSAGE_TOKENS if is_open else ANSWER_TOKENS)
