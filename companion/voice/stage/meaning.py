"""What a stage direction tells the body: words to emotion, gesture and intensity. Pure but for one lazy file read.

English and Indonesian (`spaced_directions`), Chinese and Japanese (`unspaced_directions`), by the words of `lexicon`.
What is denied (`doesn't smile`, 不笑, 笑わない, `tidak tersenyum`), what somebody else does (`you smile`, 你笑了) and
stage business (doors, chairs, who is spoken to, how it is said) give no cue.
"""

from __future__ import annotations

import re

from companion.voice.stage.lexicon import Feeling as Feeling
from companion.voice.stage.lexicon import Lexicon, lexicon
from companion.voice.stage.spaced_directions import read_spaced
from companion.voice.stage.unspaced_directions import read_unspaced

_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


def read(text: str, name: str = "") -> Feeling | None:
    """The meaning of a direction without its brackets; None where it tells the body nothing.

    `name` is the character's own: what another name does (`Anna smiles`) then gives nothing either.
    """
    known = lexicon()
    text = text.replace("’", "'")
    lowered = text.casefold()
    found = read_unspaced(lowered, known.strings) if _CJK.search(lowered) else []
    found += read_spaced(text, known.words, name)
    emotions = [one for one in found if one.feeling.emotion]
    gestures = [one for one in found if one.feeling.gesture]
    if not emotions and not gestures:
        return None
    emotion = max(emotions, key=lambda one: (one.rank, -one.at), default=None)
    gesture = min(gestures, key=lambda one: one.at, default=None)
    intensity = (emotion or gesture or found[0]).feeling.intensity * _strength(lowered, known)
    return Feeling(
        emotion.feeling.emotion if emotion else None,
        gesture.feeling.gesture if gesture else None,
        round(min(max(intensity, 0.1), 1.0), 2),
    )


def _strength(text: str, known: Lexicon) -> float:
    """How much weaker or stronger the degree words make it; the furthest from 1 counts."""
    factors = [known.stronger[word] for word in known.degree.findall(text)]
    return max(factors, key=lambda factor: abs(factor - 1), default=1.0)
