"""What is due when the loudspeaker reaches a sample: cues, the mouth opening, and the text heard so far.

Pure. One timeline per turn. All positions are samples of the loudspeaker's stream. Positions that are asked for must
not decrease, because passed chunks are dropped. The sound itself is never kept.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass

from companion.events import MOUTH_STEP, Cue, PlacedCue, SpeechChunk

_UNSPACED = ((0x2E80, 0xA4CF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))
"""Chinese and Japanese characters and their punctuation (Unicode blocks): written without spaces between words."""

_SLEEP_MARGIN_S = 0.0005
"""Added to a sleep, because one that ends a little early would delay the cue by a whole step."""


@dataclass(frozen=True, slots=True)
class _PlacedChunk:
    """Where a chunk of speech lies in the stream; without its sound."""

    start: int
    end: int
    rate: int
    text: str
    mouth: tuple[float, ...]


class Timeline:
    """The chunks of speech of one turn, placed along the loudspeaker's stream."""

    def __init__(self) -> None:
        self._chunks: deque[_PlacedChunk] = deque()
        self._cues: list[PlacedCue] = []
        self._heard = ""
        self.end = 0
        """Position just after the last placed sample."""

    def add(self, start: int, chunk: SpeechChunk) -> None:
        """Place a chunk whose first sample is at `start`, which must not lie before the end of the previous chunk."""
        end = start + chunk.samples
        self._chunks.append(_PlacedChunk(start, end, chunk.rate, chunk.text, chunk.mouth))
        for placed in chunk.cues:
            insort(self._cues, PlacedCue(start + placed.at, placed.cue), key=lambda one: one.at)
        self.end = max(self.end, end)

    def due(self, position: int) -> list[Cue]:
        """The cues whose sample was reached since the last call, in order; each is returned once."""
        reached = 0
        while reached < len(self._cues) and self._cues[reached].at <= position:
            reached += 1
        due = [placed.cue for placed in self._cues[:reached]]
        del self._cues[:reached]
        return due

    def next_check_s(self, position: int, rate: int) -> float:
        """Seconds to wait before asking again; the loudspeaker plays `rate` samples a second.

        One mouth step, or up to two if that makes the next check coincide with a cue.
        """
        left = (self._cues[0].at - position) / rate if self._cues else 0.0
        return left + _SLEEP_MARGIN_S if MOUTH_STEP <= left < 2 * MOUTH_STEP else MOUTH_STEP

    def mouth(self, position: int) -> float:
        """The mouth's opening at `position`, 0 to 1; 0 in silence."""
        self._drop_heard(position)
        if not self._chunks or position < self._chunks[0].start:
            return 0.0
        chunk = self._chunks[0]
        step = int((position - chunk.start) / (chunk.rate * MOUTH_STEP))
        return chunk.mouth[step] if step < len(chunk.mouth) else 0.0

    def heard_text(self, position: int) -> str:
        """The text heard up to `position`, cut after a whole word (in Chinese and Japanese after a character).

        Within a chunk the text is assumed to be spoken at an even pace.
        """
        self._drop_heard(position)
        if not self._chunks or position <= self._chunks[0].start:
            return self._heard
        chunk = self._chunks[0]
        share = (position - chunk.start) / (chunk.end - chunk.start)
        return _join_text(self._heard, _cut_at_word(chunk.text, int(len(chunk.text) * share)))

    def _drop_heard(self, position: int) -> None:
        """Turn chunks that have been heard completely into heard text."""
        while self._chunks and self._chunks[0].end <= position:
            self._heard = _join_text(self._heard, self._chunks.popleft().text)


def _cut_at_word(text: str, length: int) -> str:
    """The longest prefix of `text` of at most `length` characters that ends between words."""
    while 0 < length < len(text):
        before, after = text[length - 1], text[length]
        if before.isspace() or after.isspace() or _is_unspaced(before) or _is_unspaced(after):
            break
        length -= 1
    return text[:length].rstrip() if length < len(text) else text


def _join_text(heard: str, more: str) -> str:
    """Join two pieces of text, and restore the space that was lost when they were split into sentences."""
    if not heard or not more:
        return heard or more
    close = heard[-1].isspace() or more[0].isspace() or _is_unspaced(heard[-1]) or _is_unspaced(more[0])
    return heard + more if close else f"{heard} {more}"


def _is_unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED)
