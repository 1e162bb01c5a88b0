"""How a phrase is said: in espeak-ng's phonemes, what sounds near it, and in the phonemes of pocketsphinx."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from companion.errors import EngineUnavailable
from studio.wakeword.speech import PROGRAM

_VOWELS = frozenset("aeiouyIEOUVAQ0{3@&WY")
"""How the names of vowels begin, in espeak-ng."""
_STRESS = "',%=|"

_NEAREST = """
p=P b=B t=T d=D k=K ɡ=G g=G q=K c=K ɟ=G ʔ= f=F v=V θ=TH ð=DH s=S z=Z ʃ=SH ʒ=ZH h=HH ɦ=HH x=HH ç=HH χ=HH ħ=HH ɣ=G
ʁ=R ɕ=SH ʑ=ZH ʂ=SH ʐ=R ɸ=F β=V ʋ=V m=M n=N ɲ=N+Y ɳ=N ɴ=NG ŋ=NG l=L ʎ=L+Y ɫ=L ɭ=L ɬ=L r=R ɹ=R ɾ=D ɽ=R ʀ=R j=Y w=W
ɥ=W ɰ=W ʍ=W i=IY ɪ=IH ɨ=IH y=UW ʏ=UH u=UW ʊ=UH ɯ=UW ʉ=UW e=EH ɛ=EH ø=ER œ=ER ə=AH ɘ=AH ɜ=ER ɝ=ER ɚ=ER ɤ=AH o=OW
ɔ=AO a=AA ɑ=AA ɒ=AO æ=AE ʌ=AH ɐ=AH ä=AA ᵻ=IH tʃ=CH dʒ=JH tɕ=CH dʑ=JH tʂ=CH dʐ=JH ts=T+S dz=D+Z pf=P+F eɪ=EY
aɪ=AY ɔɪ=OY aʊ=AW oʊ=OW əʊ=OW ei=EY ai=AY au=AW ou=OW oi=OY ɑu=AW ɛɪ=EY iə=IY+AH eə=EH+R ʊə=UH+R ɔø=OY
"""
ENGLISH_PHONEMES = {ipa: near.replace("+", " ") for ipa, _, near in (pair.partition("=") for pair in _NEAREST.split())}
"""The nearest phonemes of pocketsphinx's English model to those of the IPA, for two letters first, then for one."""


@dataclass(frozen=True, slots=True)
class Phonemes:
    """What espeak-ng says: its words, each a tuple of the names of phonemes, with their stress."""

    words: tuple[tuple[str, ...], ...]

    @property
    def sounds(self) -> tuple[str, ...]:
        """All phonemes in a row, without stress, tones and pauses."""
        stripped = (
            re.sub(r"[0-9]+$", "", one.strip(_STRESS)) or one.strip(_STRESS) for word in self.words for one in word
        )
        return tuple(one for one in stripped if one)

    def spelled(self) -> str:
        """For espeak-ng to say."""
        return "[[" + " ".join("".join(word) for word in self.words) + "]]"


def phonemes(text: str, voice: str) -> Phonemes:
    """What espeak-ng's voice says for this text. Raises `EngineUnavailable`."""
    words = [
        tuple(one for one in word.split("_") if one.strip(_STRESS + ":;"))
        for word in re.sub(r"\([a-z-]+\)", " ", _espeak(text, voice, "-x")).split()
    ]
    return Phonemes(tuple(word for word in words if word))


def near(phrase: Phonemes, inventory: Sequence[str], random: np.random.Generator) -> Phonemes:
    """Something that sounds near the phrase and is another: a third of its phonemes changed, or a part of it."""
    flat = [(at, one) for at, word in enumerate(phrase.words) for one in word]
    kind = random.integers(5)
    if kind >= 3 and len(flat) > 3:
        cut = int(len(flat) * random.uniform(0.35, 0.7))
        flat = flat[:cut] if kind == 3 else flat[cut:]
    else:
        changed = max(2, round(len(flat) * 0.34))
        for at in random.permutation(len(flat))[:changed]:
            word, one = flat[at]
            vowel = _is_vowel(one)
            others = [other for other in inventory if _is_vowel(other) == vowel and other != one.strip(_STRESS)]
            across = [other for other in inventory if _is_vowel(other) != vowel]
            how = random.random()
            if how < 0.7 and others:
                stress = one[: len(one) - len(one.lstrip(_STRESS))]
                flat[at] = (word, stress + others[random.integers(len(others))])
            elif how < 0.85 and len(flat) > 3:
                flat[at] = (word, "")
            elif across:
                flat[at] = (word, one + across[random.integers(len(across))])
    last = max((word for word, _ in flat), default=0)
    words = (tuple(one for of, one in flat if of == word and one) for word in range(last + 1))
    return Phonemes(tuple(word for word in words if word))


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """How many phonemes must be changed, taken away or put in to make the one out of the other."""
    row = list(range(len(other) + 1))
    for at, sound in enumerate(one, 1):
        before, row[0] = row[0], at
        for place, wanted in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (sound != wanted))
    return row[-1]


def pronunciations(phrase: str, voice: str, language: str) -> tuple[str, ...]:
    """How pocketsphinx's English model may write the phrase, its dictionary first; empty where there is no phoneme."""
    found: list[str] = []
    words = re.findall(r"[a-z']+", phrase.casefold())
    listed = [_dictionary().get(word, ()) for word in words] if language == "en" else []
    if listed and all(listed):
        found += [" ".join(way) for way in zip(*(ways * 3 for ways in listed), strict=False)][:3]
    found.append(english(_espeak(phrase, voice, "--ipa")))
    return tuple(dict.fromkeys(one for one in found if one))


def english(ipa: str) -> str:
    """IPA, its phonemes apart by underscores or spaces, in the nearest phonemes of the English model."""
    written: list[str] = []
    # A tone is a digit, or the vowel of "bird" behind another one, as which espeak-ng writes a 3.
    for token in re.sub(r"\([a-z-]+\)|[0-9]+|(?<=[aeiouɑɤɛɔʊə])ɜ", "_", ipa).replace(" ", "_").split("_"):
        bare = "".join(sign for sign in unicodedata.normalize("NFD", token) if sign.isalpha() and sign not in "ʰʲʷˠːˑ")
        at = 0
        while at < len(bare):
            size = 2 if bare[at : at + 2] in ENGLISH_PHONEMES else 1
            written += ENGLISH_PHONEMES.get(bare[at : at + size], "").split()
            at += size
    return " ".join(written)


def _is_vowel(name: str) -> bool:
    return name.strip(_STRESS)[:1] in _VOWELS


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, tuple[str, ...]]:
    """Pronunciations of English words (CMU's dictionary, BSD), from pocketsphinx's wheel; empty without it."""
    found = importlib.util.find_spec("pocketsphinx")
    if found is None or found.origin is None:
        return {}
    words: dict[str, tuple[str, ...]] = {}
    listed = Path(found.origin).parent / "model" / "en-us" / "cmudict-en-us.dict"
    for line in listed.read_text(encoding="utf-8", errors="replace").splitlines() if listed.is_file() else ():
        word, _, spoken = line.partition(" ")
        word = word.partition("(")[0]
        words[word] = (*words.get(word, ()), spoken.strip())
    return words


def _espeak(text: str, voice: str, form: str) -> str:
    command = (PROGRAM, "-v", voice, "-q", form, "--sep=_", "--stdin")
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False, timeout=30)
    except OSError as error:
        raise EngineUnavailable("espeak-ng is needed to make voices: apt install espeak-ng") from error
    return done.stdout.decode("utf-8", "replace")
