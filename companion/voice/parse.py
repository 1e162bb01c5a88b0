"""One whole answer at once, as `companion parse` prints it: what is spoken, and the cues with their places. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from companion.events import Cue
from companion.voice.lookahead import is_cjk
from companion.voice.stage import Stage


def parse(deltas: Iterable[str], name: str | None = None) -> dict[str, Any]:
    """Run the deltas of an answer through the stage. `name` is the speaker's; None: guess it from the first line.

    Returns `{"speech": str, "cues": [{"emotion", "gesture", "intensity", "at", "source"}, ...]}`. Lines are joined by a
    blank, or by nothing between Chinese or Japanese characters; `at` counts code points of `speech`.
    """
    stage = Stage(name)
    pieces: list[str | Cue] = []
    for delta in deltas:
        pieces += stage.feed(delta)
    pieces += stage.close()
    lines = "".join(piece for piece in pieces if isinstance(piece, str)).rstrip("\n")
    speech = ""
    places = []
    for index, ch in enumerate(lines):
        places.append(len(speech))
        if ch != "\n":
            speech += ch
        elif not (is_cjk(lines[index - 1]) and is_cjk(lines[index + 1])):
            speech += " "
    places.append(len(speech))
    cues = [
        {
            "emotion": cue.emotion,
            "gesture": cue.gesture,
            "intensity": cue.intensity,
            "at": places[min(cue.at, len(lines))],
            "source": cue.source,
        }
        for cue in pieces
        if isinstance(cue, Cue)
    ]
    return {"speech": speech, "cues": cues}
