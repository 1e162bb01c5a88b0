"""Directions in Chinese and Japanese: known strings, wherever they stand, the longest first. Pure.

A subject (你, 大家, みんなが, 君は) makes a clause somebody else's; what the character makes another do (逗你笑,
笑わせる) is that one's too. Denial stands just before the string in Chinese and just behind it in Japanese.
"""

from __future__ import annotations

import re

from companion.voice.stage.lexicon import Found, Strings

_DENIED_BEFORE = re.compile(
    r"(?:不再|不|没有|没|無|无|别|未|并非|停止|止住|毫无|ずに|からは)(?:会|能|敢|想|是|要|太|怎么|有|露出|在|感到|觉得|那么|很)?$"
)
_DENIED_AFTER = re.compile(
    r"^(?:(?:[わかさたなまらが]|い|り|け|る)?(?:ない|なかった|ず[にへ]?|ません|ぬ)"
    r"|[いんっしりけえ]{0,2}[てで][はも]?い?(?:ない|なかった|ません)"
    r"|くない|くなかった|では?ない|じゃない|のをやめ|のをこらえ"
    r"|不出|不起来|不下去)"
)
_NO_DENIAL = re.compile(
    "忍不住|不禁|不由得|不由自主|止不住|禁不住|耐不住|掩不住|藏不住|抑制不住|按捺不住|差点没|不得不"
)

_CLAUSE = re.compile(r"[^，,。．.；;！!？?、…\n]+")
_SOMEBODY = "你们|你|您|用户|大家|众人|他们|她们|人们|所有人|观众|孩子们|小朋友们?|同学们|对方"
_SOMEBODY_JA = (
    "あなた|貴方|君|きみ|キミ|お前|おまえ|みんな|皆|ユーザー|お客さん|お客|子供たち|子どもたち|彼ら|相手|観客"
)
_THEIRS = re.compile(
    rf"^(?:当|看|看着|见|看到|看见|听|听到|如果|等|因为|趁)?(?:{_SOMEBODY})(?!的|身|面|旁|耳|怀|脸|头|手|肩)"
    rf"|(?:{_SOMEBODY_JA})(?:が|は|も)"
)
_MADE_TO = re.compile(
    rf"(?:让|使|令|逗|惹|叫|把|害|引得|逗得)(?:{_SOMEBODY}|他|她|它|人)(?:也|都|能|会|很|更|再|别|给)?$"
    rf"|(?:看着?|看到|看见|听着?|听到|听见|擦[去掉]|拭去|抹去)(?:{_SOMEBODY})(?:的|脸上的|眼角的|那|那个)+(?:\w{{0,3}}的)?$"
    rf"|(?:{_SOMEBODY})的$|(?:{_SOMEBODY_JA})の$"
)
_MADE_TO_AFTER = re.compile(r"^[わかさたなまらば]?(?:せ[てるよた]|させ)")


def read_unspaced(text: str, known: Strings) -> list[Found]:
    """Every known string that tells what the character does, with its place in the text."""
    text = _NO_DENIAL.sub(lambda match: "，" * len(match.group()), text)
    theirs = [clause.span() for clause in _CLAUSE.finditer(text) if _is_theirs(clause.group())]
    found = []
    for at, string in known.matches(text):
        feeling, rank = known.strings[string]
        if feeling is None or any(start <= at < stop for start, stop in theirs):
            continue
        end = at + len(string)
        before, after = text[max(0, at - 10) : at], text[end : end + 8]
        denied = _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after)
        if not denied and not _MADE_TO.search(before) and not _MADE_TO_AFTER.match(after):
            found.append(Found(at, feeling, rank))
    return found


def _is_theirs(clause: str) -> bool:
    """Whether somebody else is its subject; `彼女` and 他 are the character itself."""
    subject = _THEIRS.search(clause)
    # 看着你笑了笑: what stands behind 看着你 is the character's again.
    return subject is not None and not re.match("(?:看着|听着|当着)", clause)
