"""What is due when the loudspeaker has come to a sample: cues, the mouth, and the text heard so far.

Pure. One timeline for each turn. All positions are samples of the loudspeaker's stream; questions must come with
positions that do not go back, because what has passed is dropped (of its sound nothing is kept in the first place).
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass

from companion.events import MOUTH_STEP, Cue, PlacedCue, SpeechChunk

_WIDE = ((0x2E80, 0xA4CF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))
"""Chinese and Japanese characters and their punctuation (Unicode blocks): written without spaces between words."""

_JUST_BEHIND_S = 0.0005
"""A sleep may end a little early, and the cue would be missed by one step."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A chunk without its sound."""

    start: int
    end: int
    rate: int
    text: str
    mouth: tuple[float, ...]


class Timeline:
    """Chunks of speech along the loudspeaker's stream."""

    def __init__(self) -> None:
        self._chunks: deque[_Spoken] = deque()
        self._cues: list[PlacedCue] = []
        self._heard = ""
        self.end = 0
        """Position just after the last sample that was placed."""

    def add(self, start: int, chunk: SpeechChunk) -> None:
        """Place a chunk whose first sample is at `start`, at or after the end of the one before."""
        end = start + chunk.samples
        self._chunks.append(_Spoken(start, end, chunk.rate, chunk.text, chunk.mouth))
        for placed in chunk.cues:
            insort(self._cues, PlacedCue(start + placed.at, placed.cue), key=lambda one: one.at)
        self.end = max(self.end, end)

    def due(self, position: int) -> list[Cue]:
        """The cues whose sample was reached since the last call, in order; each once."""
        reached = 0
        while reached < len(self._cues) and self._cues[reached].at <= position:
            reached += 1
        due = [placed.cue for placed in self._cues[:reached]]
        del self._cues[:reached]
        return due

    def pause(self, position: int, rate: int) -> float:
        """Seconds after which it should be asked again, at `rate` samples a second of the loudspeaker's stream.

        A mouth's step; up to nearly two where a cue falls between them, so that it is asked just when the cue is due.
        """
        left = (self._cues[0].at - position) / rate if self._cues else 0.0
        return left + _JUST_BEHIND_S if MOUTH_STEP <= left < 2 * MOUTH_STEP else MOUTH_STEP

    def mouth(self, position: int) -> float:
        """The mouth's opening at `position`, 0 to 1; 0 in silence."""
        self._pass(position)
        if not self._chunks or position < self._chunks[0].start:
            return 0.0
        chunk = self._chunks[0]
        step = int((position - chunk.start) / (chunk.rate * MOUTH_STEP))
        return chunk.mouth[step] if step < len(chunk.mouth) else 0.0

    def heard_text(self, position: int) -> str:
        """The text heard up to `position`, cut after a whole word (after a character in Chinese and Japanese).

        Within a chunk the text is taken to go by evenly.
        """
        self._pass(position)
        if not self._chunks or position <= self._chunks[0].start:
            return self._heard
        chunk = self._chunks[0]
        share = (position - chunk.start) / (chunk.end - chunk.start)
        return _joined(self._heard, _whole_words(chunk.text, int(len(chunk.text) * share)))

    def _pass(self, position: int) -> None:
        """Turn the chunks that were heard to their end into heard text."""
        while self._chunks and self._chunks[0].end <= position:
            self._heard = _joined(self._heard, self._chunks.popleft().text)


def _whole_words(text: str, length: int) -> str:
    """The longest beginning of `text` of at most `length` characters that ends between words."""
    while 0 < length < len(text):
        before, after = text[length - 1], text[length]
        if before.isspace() or after.isspace() or _wide(before) or _wide(after):
            break
        length -= 1
    return text[:length].rstrip() if length < len(text) else text


def _joined(heard: str, more: str) -> str:
    """Two pieces of text, with the space between them that cutting into sentences took away."""
    if not heard or not more:
        return heard or more
    close = heard[-1].isspace() or more[0].isspace() or _wide(heard[-1]) or _wide(more[0])
    return heard + more if close else f"{heard} {more}"


def _wide(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _WIDE)
