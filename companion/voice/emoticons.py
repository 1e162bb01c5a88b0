r"""Faces made of ordinary characters: `:-)`, `^_^`, `(´・ω・`)`, `¯\_(ツ)_/¯`. Pure.

They matter twice: they are cues, and the bracket in `:(` must not be taken for the beginning of a direction.
"""

from __future__ import annotations

import re

from companion.voice.brackets import CLOSING, OPENING, closed_bracket
from companion.voice.directions import Feeling
from companion.voice.lookahead import Lookahead, Token, is_word

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
    (_LAUGHING, ":D :-D =D xD XD :'D :P :p :-P :-p =P ;P >w< >▽< ≧▽≦ ≧∇≦"),
    (_WINKING, ";) ;-) ;D ;-D ^_~ ^_-"),
    (_SAD, ":( :-( :(( :((( =( ): )-: :[ :-[ :< :-< u_u ._. </3"),
    (_CRYING, "ಥ_ಥ ಥ﹏ಥ ╥﹏╥ ╥_╥ T▽T :'( ;_; ;-; T_T T-T T^T TAT QAQ QwQ QWQ Q_Q ;( ㅠㅠ"),
    (_ANGRY, "ಠ_ಠ ಠ益ಠ >:( >:-( >_<# >:["),
    (_SURPRISED, ":O :-O :o :-o o_o O_O o_O O_o 0_0 °o°"),
    (_LOVING, "<3 <33 <333 :* :-* ♡"),
    (_BORED, ":| :-| -_- -__- =_= ¬_¬ -.- :-/ :/ :\\ :-\\"),
    (_EMBARRASSED, "(^^ゞ (^_^ゞ (^^; (^_^; ＞﹏＜ >﹏< ＞_＜ >_< >.< >///< @_@ ^_^; ^^; ^_^;; :$ :-$"),
    (_CONFUSED, "¯\\_(ツ)_/¯ ¯\\(ツ)/¯ ?_? orz OTZ ._.?"),
)
FACES: dict[str, Feeling] = {face: feeling for feeling, faces in _FACES for face in faces.split()}
"""What each face means."""

_BY_FIRST: dict[str, tuple[str, ...]] = {
    first: tuple(face for face in FACES if face[0] == first) for first in {face[0] for face in FACES}
}
FIRST = frozenset(_BY_FIRST)
"""Characters with which a face may begin."""

_AFTER_WORDS = (":)", ":(", ":-)", ":-(", ";)", "^^", "^_^", ":D", "=)")
ARMS = frozenset("ヽヾ٩╰୧ლ\\＼┐└┌╭o0Oｏmdb凸ΣＳ∑")
_OTHER_ARMS = "ヽヾﾉノ／/\\＼╯╰ゞ۶و彡ﾞ゛☆★*~～+_-:・︴و︵┻━┳┛┗✧づつっ๑ᕗᕤ┌┐┘└╭╮¯凸♡♪ｏoOdbmzZvV｡ﾟ゜丿ง"
_SOUNDLESS = frozenset("☆★︴งوﾉ／/\\＼╯╰ゞ۶و彡ﾞ゛︵┻━┳┛┗✧ᕗᕤ┌┐┘└╭╮¯凸")
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


def face(look: Lookahead, start: int) -> Token | None:
    """The face that begins at `start`, if one does."""
    before = look.at(start - 1)
    faces = _BY_FIRST[look.text[start]]
    if is_word(before):
        # Few faces stand behind a word, so that a full stop there need not wait for what follows it.
        faces = tuple(one for one in faces if one in _AFTER_WORDS)
    found = look.longest(faces, start)
    if not found:
        return None
    after = look.at(start + len(found))
    if found[-1] in OPENING and after.isalnum() and closed_bracket(look, start + len(found) - 1):
        return None
    if (found[-1] not in "()^" and is_word(after)) or (found[-1] == "/" and after == "/"):
        return None
    if found.startswith("<3") and (_after_number(look, start) or (after == "." and look.at(start + 3).isdigit())):
        return None
    if found in ("):", ")-:") and before and not before.isspace():
        return None
    return Token(start + len(found), "face", found)


def kaomoji(look: Lookahead, start: int) -> Token | None:
    """The bracketed face at `start`, where its bracket or its left arm stands, with the arms around it."""
    opening = start + 1 if look.text[start] in ARMS else start
    if (ch := look.at(opening)) not in OPENING or not ch or ch in "[{【":
        return None
    if opening != start and is_word(look.text[start]) and is_word(look.at(start - 1)):
        return None
    end = closed_bracket(look, opening)
    if not end or not is_kaomoji(look.text[opening + 1 : end - 1]):
        return None
    arms = end
    while (ch := look.at(arms)) and ch in _OTHER_ARMS:
        arms += 1
    # Letters and marks that may belong to what follows are arms only where something soundless says so.
    if not any(ch in _SOUNDLESS or ch in _LETTER_ARMS for ch in look.text[end:arms]) or look.at(arms).isalnum():
        arms = end
        while (ch := look.at(arms)) and ch in _SOUNDLESS:
            arms += 1
    return Token(arms, "face", look.text[opening:end])


def is_kaomoji(inner: str) -> bool:
    """Whether what stands between two brackets is a face and not words."""
    return 1 < len(inner) <= 16 and not _PLAIN.search(inner) and _FEATURES.search(inner) is not None


def feeling_of_face(name: str) -> Feeling | None:
    """What a face tells the body."""
    if name in FACES:
        return FACES[name]
    inner = name[1:-1].replace(" ", "")
    for feeling, parts in _KAOMOJI:
        if any(part in inner for part in parts.split()):
            return feeling
    return _HAPPY if name[:1] in OPENING and name[-1:] in CLOSING else None


def _after_number(look: Lookahead, start: int) -> bool:
    """Whether `<3` there is a comparison: a number stands before it."""
    return look.text[max(0, start - 8) : start].rstrip()[-1:].isdigit()
