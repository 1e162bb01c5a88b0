"""Whether marked words are a stage direction or emphasis: `_giggles softly_` is done, `_so_` is said. Pure.

A direction has a direction's grammar (`waves`, `smiling shyly`, `tersenyum`, 微笑着挥手) and stands where a sentence
could end, or it is a sentence of its own that tells what is to be seen and heard (`A long pause.`, `He smiles.`).
Everything else is emphasis: `you must **wave**`, `he **smiles** a lot`, `**Happy** birthday`.
"""

from __future__ import annotations

import re

from companion.voice.stage.meaning import read
from companion.voice.stage.scanner import Lookahead, is_cjk, is_word

_LOOK_BACK = 24
"""Code points before the mark that are looked at; the stage keeps more."""
_LOOK_AHEAD = 16
"""Code points of the word behind the mark that are looked at."""

_INNER_MARKS = re.compile(r"</?[a-z]{1,6}>|[*＊_~～`]+", re.IGNORECASE)
_NO_VERB = (
    r"(?!(?:this|its|it's|that's|what's|there's|here's|let's|he's|she's|who's|yes|us|as|is|was|has|does|thus|plus|less"
    r"|unless|perhaps|always|sometimes|besides|afterwards|towards|nevertheless|ours|yours|hers|theirs|his|various"
    r"|things?|lots|times|words|friends|kids|days|ways|eyes|years|minutes|seconds|hours|toys|animals|birds|dogs|cats"
    r"|bears|games|songs|stories|colou?rs|numbers|feelings|dreams|heroes|pictures|parents|others|\w*(?:ss|ous|n's)"
    r"|thing|nothing|something|anything|everything|king|ring|spring|string|morning|evening|during|amazing|boring"
    r"|interesting|only|really|very|early|family|lovely|silly|ugly|fly|reply|july|holy|belly|jelly|usually|actually"
    r"|finally|probably|especially|exactly|absolutely|definitely|totally|completely|truly|nearly|simply|need|red|bed"
    r"|indeed|hundred|loves|likes|wants|knows|means|needs|seems)\b)"
)
_ADVERB = r"(?:[a-z]{2,}ly,? )?"
_ACTS = re.compile(rf"{_ADVERB}{_NO_VERB}[a-z]{{2,}}(?:s|ing)\b(?!['’-])")
_MANNER = re.compile(rf"{_NO_VERB}[a-z]{{3,}}(?:ly|ed)\b(?!['’-])")
_ACTS_INDONESIAN = re.compile(r"(?:ter|ber|me)[a-z]{3,}\b")
_CAPITAL_ACTS = re.compile(rf"{_ADVERB}{_NO_VERB}[a-z]{{2,}}s\b(?!['’-])", re.IGNORECASE)
_CAPITAL_DOING = re.compile(rf"{_ADVERB}{_NO_VERB}[a-z]{{2,}}ing\b(?!['’-])", re.IGNORECASE)
_SUBJECT_ACTS = re.compile(
    rf"(?:he|she|they|it|the \w+(?: \w+)?)(?: \w+ly)? {_NO_VERB}[a-z]{{2,}}s\b(?!['’-])", re.IGNORECASE
)
_NAME_ACTS = re.compile(
    r"(?!(?:This|That|What|Here|There|Everyone|Good\w*|Big|Lots)\b)[A-Z][\w-]+(?: [A-Z][\w-]+)?(?: [a-z]+ly)? "
    rf"{_NO_VERB}[a-z]{{2,}}s\b(?!['’-])"
)
_CAPITAL_MANNER = re.compile(rf"(?:very |quite )?{_NO_VERB}[a-z]{{3,}}ly", re.IGNORECASE)
_BODY_ACTS = re.compile(
    r"(?:looks|leans|tilts|shakes|rolls|claps|takes|puts|throws|covers|rubs|scratches|raises|lifts|lowers|opens|closes|holds"
    r"|turns|moves|steps|gives|makes|drops|bites|wipes|strokes|pats|taps|reaches|bursts|falls|sits|stands|comes|goes)\b",
    re.IGNORECASE,
)
"""What acts only with other words: `Shakes head`."""
_MINE = re.compile(r"\b(?:me|my|i|we|us|our)\b", re.IGNORECASE)
_TITLE = re.compile(r"\s[A-Z](?!\b)")
_IS_SAID = re.compile(
    r"(?:i|you|we|i'm|i’m|happy (?:birthday|new|holi|easter)|love|thank|thanks|sorry|please|let|let's|good|hello|hi|hey"
    r"|yes|no|oh|do|don't|don’t|what|why|how|who|where|when|if|can|is|are|my|your)\b.*",
    re.IGNORECASE,
)
_BUSINESS = re.compile(
    r"(?:(?:an?|the|another|one|some|then|long|short|brief|small|little|tiny|awkward|comfortable|heavy|soft"
    r"|sudden|thoughtful|dramatic|gentle|quiet|deep|big|moment of|moment's|beat of|few seconds of|loud|distant)[ ,]+)*"
    r"(?:pauses?|silence|beat|hush|stillness|sigh|chuckle|giggle|laugh|smile|grin|nod|wink|yawn|gasp|shrug|sob"
    r"|applause|laughter|curtain|fade(?: out| in| to black)?|end(?: of)? scene|blackout|footsteps|thunder|exit)"
    r"(?:,? (?:in|as|while|before|after|then|of|from|with|falls?|follows?|passes|hangs|fills|spreads|rumbles)\b.*)?",
    re.IGNORECASE,
)
"""What is to be seen or heard, told in a sentence without a doer."""

_CJK_OPENERS = re.compile(
    "你好|您好|我|嗯|唉|哎|哈|啊|哦|呵|嘿|诶|哇|咦|好[的啊呀吧]|没[关事]|别|うん|ええ|はい|えっ|ね[えぇ]"
)
_GOES_ON = re.compile(
    r"(?:are|is|was|were|be|can|could|will|would|should|do|does|did|have|has|had|makes?|made|helps?|comes?|means?|feels?"
    r"|gives?|and|or|for|from|of|in|on|at|with|to|about|than|that|which|who|but|because|when|if|like"
    r"|dan|atau|untuk|dari|adalah|itu|ini|yang)",
    re.IGNORECASE,
)
"""What goes on with a sentence that the marked word belongs to."""
_SUBJECT = re.compile(
    r"(?:^|[^\w'’])(?:he|she|it|who|that|which|one|everyone|everybody|someone|nobody|mom|mum|dad|mama|papa|grandma|grandpa"
    r"|always|never|often|really|just|also|only|still|and|or|of|to|with|for|as|in|on|at|by|from|like|than|not|so|very"
    r"|(?:the|an?|my|your|his|her|its|our|their|this|these|those|some|many|more|big|every|each|any|all)(?:\s+[\w'’-]+)?"
    r"|dia|aku|kamu|yang|i)$",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:^|[^\w'’])(?!(?:Well|Oh+|Ah+|Aw+|So|Ok|Okay|Hm+|Um+|Yes|Yeah|Yay|No|Hey|Hi|Hello|Wow|Sure|Right|Now)$)[A-Z][\w'’-]*$"
)
_APART = ",;:，；：—–-…。！？、~～"


def is_direction(look: Lookahead, start: int, end: int, said: str, begins: bool, bold: bool) -> bool:
    """Whether `said`, whose marks stand from `start` to `end`, is done and not said.

    `begins`: a sentence begins there. `bold`: the marks are those of strong emphasis, which headings and key words
    wear too. Raises `Incomplete` where the word behind the marks has not arrived.
    """
    words = _INNER_MARKS.sub("", said).strip()
    bare = words.rstrip(".… 。")
    if not bare or bare[-1] in "!?！？:：,，;；" or not bare[0].isalpha() or is_word(look.at(end)):
        return False
    if any(is_cjk(ch) and ch.isalnum() for ch in bare):
        return _is_cjk_direction(look, end, bare, begins)
    line_end = look.line_end(end)
    if not begins:
        return _interrupts(look, start, end, bare, line_end)
    if bare[0].islower():
        return _is_lower_case_direction(look, end, bare, bold, line_end)
    return _is_alone(look, end, words, line_end) and _is_told(bare, words, bold, line_end)


def _is_lower_case_direction(look: Lookahead, end: int, bare: str, bold: bool, line_end: bool) -> bool:
    """Marked words where a sentence begins, though none begins with a small letter but for sloppy writing."""
    if _IS_SAID.match(bare):
        return False
    alone = line_end or _begins_anew(look, end)
    acts = _ACTS.match(bare) or _SUBJECT_ACTS.match(bare)
    single = " " not in bare
    if read(bare) is not None:
        if acts or _MANNER.match(bare) or _ACTS_INDONESIAN.match(bare):
            return alone or not single or not _goes_on(look, end)
        # A list may have key words: `- **happy**`.
        return alone and not (line_end and bold and single)
    if _BUSINESS.fullmatch(bare):
        return alone
    # It tells the body nothing, but is not said either: `_opens the door_ Come in!`
    return acts is not None and alone and not (line_end and (bold or single))


def _is_told(bare: str, words: str, bold: bool, line_end: bool) -> bool:
    """A line or sentence of its own that begins with a capital: `A pause.`, `Giggles`, `Coldly.`, `Teddy waves.`"""
    if _BUSINESS.fullmatch(bare):
        return True
    if read(bare) is None or _IS_SAID.match(bare) or _MINE.search(bare):
        return False
    if _SUBJECT_ACTS.match(bare) or _NAME_ACTS.match(bare):
        return True
    if _TITLE.search(bare):
        return False
    full_stop = words != bare
    if _CAPITAL_DOING.match(bare) or _CAPITAL_MANNER.fullmatch(bare):
        return full_stop or (not bold and (line_end or (" " in bare and bare.endswith("ly"))))
    acts = _CAPITAL_ACTS.match(bare)
    return acts is not None and (_BODY_ACTS.match(bare) is not None or read(acts.group()) is not None)


def is_act(said: str) -> bool:
    """Whether words between marks that nobody emphasises with (`-waves-`, `/smiles shyly/`) are a direction."""
    bare = said.rstrip(".… 。")
    if not bare or read(bare) is None:
        return False
    one = not any(ch.isspace() for ch in bare)
    return one or any(pattern.match(bare) for pattern in (_ACTS, _MANNER, _ACTS_INDONESIAN, _CAPITAL_ACTS))


def _interrupts(look: Lookahead, start: int, end: int, bare: str, line_end: bool) -> bool:
    """A direction in the middle of a sentence: `Well, _giggles_ okay`; not the verb or the noun of that sentence."""
    does = re.match(rf"{_ADVERB}{_NO_VERB}[a-z]+s\b", bare) is not None
    if not (does or _ACTS.match(bare) or _ACTS_INDONESIAN.match(bare)) or read(bare) is None:
        return False
    before = look.text[max(0, start - _LOOK_BACK) : start]
    if before[-1:] == "-":
        return False
    before = before.rstrip()
    single = " " not in bare
    anew = line_end or _begins_anew(look, end)
    if before[-1:] in _APART:
        return anew or not single or (does and not _goes_on(look, end))
    if not does or _SUBJECT.search(before) or _NAME.search(before):
        return False
    return not single or (not line_end and anew)


def _is_cjk_direction(look: Lookahead, end: int, bare: str, begins: bool) -> bool:
    if not begins or read(bare) is None:
        return False
    if look.at(end) in ("", "\n", " ", "\t", "\u3000"):
        return True
    opening = _behind(look, end)
    return _CJK_OPENERS.match(opening) is not None


def _is_alone(look: Lookahead, end: int, words: str, line_end: bool) -> bool:
    """Whether the marked words are a line or a sentence of their own."""
    return line_end or (words[-1] in ".…。" and look.at(end).isspace()) or _begins_anew(look, end)


def _begins_anew(look: Lookahead, end: int) -> bool:
    """Whether a blank and what begins a sentence stand behind the marks."""
    if not look.at(end).isspace():
        return False
    ch = look.at(look.skip(" \t", end))
    return not ch or ch.isupper() or is_cjk(ch) or ch in "\"“‘'([*_~\n"


def _goes_on(look: Lookahead, end: int) -> bool:
    """Whether the sentence that the marked word belongs to goes on: `**smiles** are free`."""
    if look.at(end) in (",", ";"):
        return True
    return _GOES_ON.fullmatch(_behind(look, look.skip(" \t", end))) is not None


def _behind(look: Lookahead, start: int) -> str:
    """The word there, or as much of it as is looked at."""
    end = start
    while end < start + _LOOK_AHEAD and (ch := look.at(end)) and ch.isalpha():
        end += 1
    return look.text[start:end]
