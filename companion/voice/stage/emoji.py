r"""Emoji, emoticons (`:-)`, `^_^`) and kaomoji (`(´・ω・`)`, `¯\_(ツ)_/¯`): none is spoken, most are cues. Pure.

The ranges of emoji are those of Unicode's emoji-data.txt (every code point above U+2000 with the property Emoji, except
‼ ⁉ ™ ℹ, which are text), and symbols beside them that have no sound either, such as ♪ and ★. A table of ranges costs
nothing to load; the `emoji` package costs 8.5 MB (`tests/voice/stage/test_stage.py` compares the two).

Emoticons and kaomoji must also be recognised because the bracket in `:(` does not begin a direction.
"""

from __future__ import annotations

import re

from companion.voice.stage.brackets import CLOSING, OPENING, end_of_bracket
from companion.voice.stage.lexicon import Feeling
from companion.voice.stage.scanner import LONGEST_RUN, Lookahead, Token, is_word_char

_RANGES = (
    "\u203f\u2040\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u24c2"
    "\u2500-\u25ff\u2600-\u26ff\u2700-\u2775\u2794-\u27bf\u2934\u2935\u2b05-\u2b07\u2b12-\u2b2f\u2b50-\u2b5f"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171"
    "\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f1e5\U0001f1e6-\U0001f1ff\U0001f200-\U0001faff\U0001fc00-\U0001fffd"
)
PICTOGRAPH = re.compile(f"[{_RANGES}]")

JOINERS = "\ufe0e\ufe0f\u200d\u20e3"
"""Variation selectors, the zero-width joiner and the keycap: parts of an emoji, silent by themselves."""

_SKIN = "\U0001f3fb-\U0001f3ff"
_TAIL = re.compile(f"[{JOINERS}{_SKIN}\U000e0020-\U000e007f\u2640\u2642]")
_TO_LOOK_UP = re.compile(f"[\ufe0e\ufe0f{_SKIN}]|\u200d[\u2640\u2642]")


def pictograph(look: Lookahead, start: int) -> Token:
    """The emoji that begins at `start`, with its repetitions: `😂😂😂` is one strong laugh."""
    end = _cluster_end(look, start)
    cluster = look.text[start:end]
    strength = 1
    while (
        end < start + LONGEST_RUN and look.starts_with(cluster, end) and _cluster_end(look, end) == end + len(cluster)
    ):
        end += len(cluster)
        strength += 1
    return Token(end, "emoji", cluster, strength)


def keycap_end(look: Lookahead, start: int) -> int:
    """The position just after the keycap whose digit, `#` or `*` stands at `start`; `start` if it is none."""
    after = look.skip("\ufe0f", start + 1)
    return after + 1 if look.at(after) == "\u20e3" else start


def feeling_of_emoji(cluster: str) -> Feeling | None:
    """What an emoji tells the body, whatever its skin tone, sex and selectors. None for a ball or a flag."""
    name = _TO_LOOK_UP.sub("", cluster)
    return EMOJI_FEELINGS.get(name) or EMOJI_FEELINGS.get(name[:1])


def _cluster_end(look: Lookahead, start: int) -> int:
    flag = "\U0001f1e6" <= look.text[start] <= "\U0001f1ff"
    end = start + 1
    if flag and "\U0001f1e6" <= look.at(end) <= "\U0001f1ff":
        return end + 1
    while (
        end < start + LONGEST_RUN
        and (ch := look.at(end))
        and (_TAIL.match(ch) or (look.at(end - 1) == "\u200d" and PICTOGRAPH.match(ch)))
    ):
        end += 1
    return end


_TABLE: tuple[tuple[str | None, str | None, float, str], ...] = (
    ("happy", None, 0.4, "🙂 ☺ 🙃 🐻 🧸 🐰 🐱 🐶 ☀ 🌻 🌸 🌼 🎵 🎶 ♪ ♫ ♬ ♩ 🌟 ⭐ ★ ☆"),
    ("happy", None, 0.6, "😊 😀 😃 😄 😁 😺 😸 🌈 😇"),
    ("happy", None, 0.8, "🥹"),
    ("happy", "nod", 0.5, "👌 ✅ ✔ ✓"),
    ("happy", "nod", 0.6, "👍"),
    ("happy", "jump", 0.8, "🦘 🏃"),
    ("amused", None, 0.5, "😏 😜 😝 😛 🤪 😹 🤡 👻 😈"),
    ("amused", None, 0.7, "😆 😅"),
    ("amused", None, 0.9, "😂 🤣"),
    ("amused", None, 0.45, "😉"),
    ("excited", None, 0.8, "🤩 🥳 ✨ 🎁 🚀 🔥 ⚡ 💥 🎂"),
    ("excited", "clap", 0.8, "🎉 🎊"),
    ("excited", "jump", 0.9, "🏆 🤸 🤾"),
    ("pleased", None, 0.6, "😌 😋 🤤 😎 🍰 🍭 🍬 🍪 🍯"),
    ("confident", None, 0.7, "💪 🦾 😤 ✊ 👊 🤘 🤙"),
    ("loving", None, 0.7, "🥰 😍 😻 💕 💖 💗 💓 💞 💘 💝 💟 ❣ 🫶 💑"),
    ("loving", None, 0.6, "❤ 🧡 💛 💚 💙 💜 🖤 🤍 🤎 🩷 🩵 🩶 ♥ ♡ 💌 ❤‍🔥 ❤‍🩹"),
    ("loving", None, 0.7, "😘 😗 😙 😚 😽 💋 💏"),
    ("affectionate", "hug", 0.7, "🤗 🫂 👐"),
    ("affectionate", None, 0.5, "🌹 💐 🌷 🍀 🕊"),
    ("affectionate", "nod", 0.5, "🤝 🫡 🙏"),
    ("embarrassed", None, 0.6, "😳 🫣 🙈 😬 🫠 🥵"),
    ("surprised", None, 0.7, "😮 😯 😲 🤭 ❗ ❕ 🙀 🫢"),
    ("surprised", None, 0.9, "😱 🤯 😵 😦 😧"),
    ("sad", None, 0.5, "😢 🥺 😿 😥 💧 🌧 🥀 ☹ 🙁"),
    ("sad", None, 0.7, "😔 😞 😩 😫 💔"),
    ("sad", None, 0.9, "😭"),
    ("disappointed", None, 0.5, "😒 😑 😣 😖 👎 😮‍💨"),
    ("disappointed", "shake_head", 0.6, "🤦 ❌ ✖ ❎ 🚫 🙅 🙂‍↔"),
    ("happy", "nod", 0.6, "🙂‍↕ 🙆"),
    ("angry", None, 0.7, "😠 😾 💢 👿 🗯"),
    ("angry", None, 0.9, "😡 🤬"),
    ("afraid", None, 0.7, "😨 🫨 🙊 👀"),
    ("worried", None, 0.6, "😰 😟 😕 😓 💦 ⚠"),
    ("disgusted", None, 0.7, "🤢 🤮 💩 🥴"),
    ("confused", "tilt_head", 0.5, "❓ ❔ 😵‍💫 🫤"),
    ("confused", "shrug", 0.6, "🤷"),
    ("thoughtful", "tilt_head", 0.5, "🤔 🧐 💭 🙇"),
    ("interested", "lean_in", 0.5, "💡 🔍 🔎 👂 🤓 🕵"),
    ("sleepy", None, 0.6, "😪 🥱 🌙 🌛 🌜"),
    ("sleepy", "sleep", 0.8, "😴 💤 🛌 🛏"),
    ("relaxed", None, 0.5, "🧘 ☕ 🍵 🛀"),
    ("bored", None, 0.5, "🙄 😐 🥲"),
    ("neutral", None, 0.3, "😶 🤐 🤫 😶‍🌫 🤖"),
    (None, "wave", 0.7, "👋 🖐 ✋ 🤚 🙋 🫱 🫲"),
    (None, "clap", 0.8, "👏 🙌"),
    (None, "dance", 0.8, "💃 🕺 👯 🪩"),
    (None, "look_up", 0.5, "👆 ☝ ⬆"),
    (None, "look_down", 0.5, "👇 ⬇"),
    (None, "look_left", 0.5, "👈 ⬅"),
    (None, "look_right", 0.5, "👉 ➡"),
)
EMOJI_FEELINGS: dict[str, Feeling] = {
    cluster: Feeling(emotion, gesture, intensity)
    for emotion, gesture, intensity, clusters in _TABLE
    for cluster in clusters.split()
}
"""What each emoji means, without skin tone, sex and variation selectors. `docs/cues.md` lists them."""

XIAOZHI_EMOTIONS: dict[str, Feeling] = {
    "neutral": Feeling("neutral", None, 0.3),
    "happy": Feeling("happy", None, 0.6),
    "laughing": Feeling("amused", None, 0.7),
    "funny": Feeling("amused", None, 0.9),
    "sad": Feeling("sad", None, 0.7),
    "angry": Feeling("angry", None, 0.7),
    "crying": Feeling("sad", None, 0.9),
    "loving": Feeling("loving", None, 0.7),
    "embarrassed": Feeling("embarrassed", None, 0.6),
    "surprised": Feeling("surprised", None, 0.7),
    "shocked": Feeling("surprised", None, 0.9),
    "thinking": Feeling("thoughtful", "tilt_head", 0.5),
    "winking": Feeling("amused", None, 0.45),
    "cool": Feeling("confident", None, 0.5),
    "relaxed": Feeling("relaxed", None, 0.5),
    "delicious": Feeling("pleased", None, 0.7),
    "kissy": Feeling("loving", None, 0.7),
    "confident": Feeling("confident", None, 0.7),
    "sleepy": Feeling("sleepy", None, 0.6),
    "silly": Feeling("amused", None, 0.6),
    "confused": Feeling("confused", "tilt_head", 0.5),
}
"""The 21 emotions that the xiaozhi firmware family sends with its emoji; a `<tag>` may name them."""


_HAPPY = Feeling("happy", None, 0.5)
_LAUGHING = Feeling("amused", None, 0.7)
_WINKING = Feeling("amused", None, 0.45)
_SAD = Feeling("sad", None, 0.5)
_CRYING = Feeling("sad", None, 0.8)
_ANGRY = Feeling("angry", None, 0.7)
_SURPRISED = Feeling("surprised", None, 0.6)
_LOVING = Feeling("loving", None, 0.6)
_BORED = Feeling("bored", None, 0.4)
_EMBARRASSED = Feeling("embarrassed", None, 0.5)
_BOWING = Feeling("embarrassed", "nod", 0.5)
_CONFUSED = Feeling("confused", None, 0.5)

_FACES: tuple[tuple[Feeling, str], ...] = (
    (_HAPPY, ":) :-) :)) :))) =) =)) :] :-] (: (-: (= :3 :> :-> \\o/"),
    (_HAPPY, "^_^ ^__^ ^-^ ^^ ^.^ ^o^ ^O^ ^ω^ ^▽^ n_n UwU uwu OwO owo"),
    (_LAUGHING, "ㅋㅋ ㅎㅎ :D :-D =D xD XD :'D :P :p :-P :-p =P ;P >w< >▽< ≧▽≦ ≧∇≦"),
    (_WINKING, ";) ;-) ;D ;-D ^_~ ^_-"),
    (_SAD, ":( :-( :(( :((( =( ): )-: :[ :-[ :< :-< u_u ._. </3"),
    (_CRYING, "ಥ_ಥ ಥ﹏ಥ ╥﹏╥ ╥_╥ T▽T :'( ;_; ;-; T_T T-T T^T TAT QAQ QwQ QWQ Q_Q ;( ㅠㅠ ㅜㅜ"),
    (_ANGRY, "ಠ_ಠ ಠ益ಠ >:( >:-( >_<# >:["),
    (_SURPRISED, ":O :-O :o :-o o_o O_O o_O O_o 0_0 °o°"),
    (_LOVING, "<3 <33 <333 :* :-* ♡"),
    (_BORED, ":| :-| -_- -__- =_= ¬_¬ -.- :-/ :/ :\\ :-\\"),
    (_EMBARRASSED, "(^^ゞ (^_^ゞ (^^; (^_^; ＞﹏＜ >﹏< ＞_＜ >_< >.< >///< @_@ ^_^; ^^; ^_^;; :$ :-$"),
    (_CONFUSED, "¯\\_(ツ)_/¯ ¯\\(ツ)/¯ ?_? orz OTZ ._.?"),
)
FACES: dict[str, Feeling] = {face: feeling for feeling, faces in _FACES for face in faces.split()}
"""What each emoticon means."""

_BY_FIRST: dict[str, tuple[str, ...]] = {
    first: tuple(face for face in FACES if face[0] == first) for first in {face[0] for face in FACES}
}
EMOTICON_STARTS = frozenset(_BY_FIRST)
"""The first characters of emoticons."""

_KOREAN_LETTERS = "ㅋㅎㅠㅜ"
"""Korean letters that are repeated for laughter or tears and are not spoken."""
_AFTER_WORDS = (":)", ":(", ":-)", ":-(", ";)", "^^", "^_^", ":D", "=)", *(2 * one for one in _KOREAN_LETTERS))
ARMS = frozenset("ヽヾ٩╰୧ლ\\＼┐└┌╭o0Oｏmdb凸ΣＳ∑")
_OTHER_ARMS = "ヽヾﾉノ／/\\＼╯╰ゞ۶و彡ﾞ゛☆★*~～+_-:・︴و︵┻━┳┛┗✧づつっ๑ᕗᕤ┌┐┘└╭╮¯凸♡♪ｏoOdbmzZvV｡ﾟ゜丿ง"
_SOUNDLESS = "☆★︴งوﾉ／/\\＼╯╰ゞ۶و彡ﾞ゛︵┻━┳┛┗✧ᕗᕤ┌┐┘└╭╮¯凸"
_LETTER_ARMS = frozenset("ノヽヾづつっ๑ｏoOdbmzZvV丿")

_FACE_LETTERS = "ωДдεσзοОООоTQoOxXuUvwmnAHDЗツ∀ヮ皿口益ロ人ー・｡ᴗᴥ罒エεзヘノﾉヽ灬つづっﾟﾞʖಥಠㅂ艸ง๑и"
_PLAIN = re.compile(rf"[^\W_{_FACE_LETTERS}]")
_FEATURES = re.compile(
    "[^\\w\\s,.!?'\"，。！？、：；“”‘’…()（）-]|_|ω|[；;].?[；;]|[TQ].?[TQ]|[oO0][._][oO0]|[.-]_[.-]|-[.]-|[ʖಥಠㅂ艸งﾟ]"
)
_KAOMOJI: tuple[tuple[Feeling, str], ...] = (
    (_BOWING, "__ ＿＿"),
    (_CRYING, "T_T TдT ；ω； ;ω; ;_; ；_； T^T TAT ╥ ಥ QAQ TωT ToT T▽T 。・゜ ｡ﾟ ;д; ；д； ；∀； ;∀;"),
    (_ANGRY, "╬ `Д `д `皿 ಠ益 ಠ_ಠ °□° ｀Д ｀へ `へ # ︿ 皿 益"),
    (_SURPRISED, "ﾟДﾟ °Д° ⊙ ﾟoﾟ O_O o_o Σ °o° ゜ロ゜ □ °ロ° 0_0 ﾟロﾟ"),
    (_EMBARRASSED, "〃 // ／／ >_< ＞﹏＜ >﹏< ⁄ ＞_＜ ﹏ ;´ ；´ ^_^; ^^; ﾉωﾉ /ω＼ /ω\\"),
    (_LOVING, "♡ ♥ ❤ 3` ε｀ 3｀ ε` ˘ ³ づ っ˘"),
    (_BORED, "-_- ￣_￣ ¬_¬ －_－ =_= ー_ー →_→ ←_← ._. ・_・ ￣へ￣"),
    (_SAD, "´・ω・` ´・ω・｀ ´･ω･｀ ´･ω･` ´；ω； ´-ω-` ノ_ノ ｡•́ •́ ︵ ´︵` っ˙"),
    (_WINKING, "^_~ ^_- ・ω< >ω・ ･ω< ゝ"),
    (_CONFUSED, "ツ ?_? @_@ ・・? ・_・? ・・；"),
    (_LAUGHING, "≧ ^▽^ ´▽` ´∀` ´∀｀ ´▽｀ ∀ ▽ ^o^ ^O^ ≦ >▽<"),
    (_HAPPY, "^_^ ^^ ω ^-^ ◕ ᴗ ‿ ᴥ • ˊ ´ ` ^ ･ ・ ◡ ✿"),
)


def emoticon(look: Lookahead, start: int) -> Token | None:
    """The emoticon that begins at `start`, if one does."""
    before = look.at(start - 1)
    faces = _BY_FIRST[look.text[start]]
    if is_word_char(before):
        # Few emoticons follow a word directly, so that a full stop there need not wait for the next character.
        faces = tuple(one for one in faces if one in _AFTER_WORDS)
    found = look.longest_of(faces, start)
    if not found:
        return None
    if found[0] in _KOREAN_LETTERS:
        return Token(look.skip(found[0], start + 2), "face", found)
    after = look.at(start + len(found))
    if found[-1] in OPENING and after.isalnum() and end_of_bracket(look, start + len(found) - 1):
        return None
    if (found[-1] not in "()^" and is_word_char(after)) or (found[-1] == "/" and after == "/"):
        return None
    if found.startswith("<3") and (_after_number(look, start) or (after == "." and look.at(start + 3).isdigit())):
        return None
    if found in ("):", ")-:") and before and not before.isspace():
        return None
    return Token(start + len(found), "face", found)


def kaomoji(look: Lookahead, start: int) -> Token | None:
    """The kaomoji at `start`, where its bracket or its left arm stands, with both arms."""
    opening = start + 1 if look.text[start] in ARMS else start
    if (ch := look.at(opening)) not in OPENING or not ch or ch in "[{【":
        return None
    if opening != start and is_word_char(look.text[start]) and is_word_char(look.at(start - 1)):
        return None
    end = end_of_bracket(look, opening)
    if not end or not is_kaomoji(look.text[opening + 1 : end - 1]):
        return None
    arms = look.skip(_OTHER_ARMS, end)
    # Letters and marks that may belong to the next words are arms only together with something soundless.
    if not any(ch in _SOUNDLESS or ch in _LETTER_ARMS for ch in look.text[end:arms]) or look.at(arms).isalnum():
        arms = look.skip(_SOUNDLESS, end)
    return Token(arms, "face", look.text[opening:end])


def is_kaomoji(inner: str) -> bool:
    """Whether the text between two brackets is a face and not words."""
    return 1 < len(inner) <= 16 and not _PLAIN.search(inner) and _FEATURES.search(inner) is not None


def feeling_of_face(name: str) -> Feeling | None:
    """What an emoticon or kaomoji tells the body."""
    if name in FACES:
        return FACES[name]
    inner = name[1:-1].replace(" ", "")
    for feeling, parts in _KAOMOJI:
        if any(part in inner for part in parts.split()):
            return feeling
    return _HAPPY if name[:1] in OPENING and name[-1:] in CLOSING else None


def _after_number(look: Lookahead, start: int) -> bool:
    """Whether the `<3` at `start` is a comparison: a number stands before it."""
    return look.text[max(0, start - 8) : start].rstrip()[-1:].isdigit()
