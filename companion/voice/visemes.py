"""The mouth and the words from phoneme times, where a voice gives them: lips close on "m", open wide on "a", and a cue
is due with the word it belongs to.

Pure. Phonemes are those of espeak-ng (IPA), each with the sample at which it begins. How far a mouth opens for which
sound follows the manner of its making (International Phonetic Association, Handbook, 1999): lips shut for bilabial
plosives and nasals, nearly shut for labiodentals, a little for other consonants, and vowels by their height.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from companion.events import MOUTH_STEP, Phoneme

_APERTURES = (
    ("pbmɓ", 0.0),
    ("fvɱ", 0.3),
    ("wuoʊɯʉ", 0.65),
    ("iyɪʏeøɘ", 0.75),
    ("əɚɜɝɤɵ", 0.8),
    ("ɛœʌɔɞ", 0.95),
    ("æaɑɒɐɶ", 1.0),
)
_OTHER_CONSONANT = 0.6
_SHUT = 0.02
_APERTURE = {symbol: aperture for symbols, aperture in _APERTURES for symbol in symbols}
_WORD = re.compile(r"\S+")
_BREAK = frozenset(" ^$")
"""What Piper puts between words and around sentences."""


def aperture(symbol: str) -> float | None:
    """How far the mouth may open for a phoneme, 0 to 1; None for stress, length and breaks."""
    first = symbol[:1]
    if first in _APERTURE:
        return _APERTURE[first]
    return _OTHER_CONSONANT if first.isalpha() and first not in "ːˑˈˌ" else None


def shaped(openings: Sequence[float], phonemes: Sequence[Phoneme], rate: int) -> tuple[float, ...]:
    """The mouth openings that loudness gives (one each `MOUTH_STEP` seconds), shaped by the sounds that are made."""
    shapes = [(one.at, shape) for one in phonemes if (shape := aperture(one.symbol)) is not None]
    if not shapes:
        return tuple(openings)
    starts = [at for at, _ in shapes]
    shaped = []
    for step, opening in enumerate(openings):
        # A closure shorter than a step must still be seen: what is most shut in the step counts.
        first = max(bisect_right(starts, round(step * MOUTH_STEP * rate)) - 1, 0)
        last = bisect_right(starts, round((step + 1) * MOUTH_STEP * rate) - 1)
        opening *= min((shape for _, shape in shapes[first : max(last, first + 1)]), default=1.0)
        shaped.append(round(opening, 3) if opening > _SHUT else 0.0)
    return tuple(shaped)


def word_starts(text: str, phonemes: Sequence[Phoneme]) -> list[tuple[int, int]]:
    """Where each word of `text` begins: its offset in characters and its sample.

    Empty where words and phonemes do not match one to one: a voice says "10" in one word or more, as it likes.
    """
    words = [match.start() for match in _WORD.finditer(text) if any(one.isalnum() for one in match[0])]
    starts = []
    between = True
    for phoneme in phonemes:
        if phoneme.symbol in _BREAK:
            between = True
        elif between and aperture(phoneme.symbol) is not None:
            starts.append(phoneme.at)
            between = False
    return list(zip(words, starts, strict=True)) if len(words) == len(starts) else []
