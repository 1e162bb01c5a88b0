"""Draws one turn of a conversation as SVG, for people who tune a character or look for latency.

From top to bottom: the conversation's state, the person's sound with what was understood, the latency of every stage
magnified, the character's sound with its sentences, the cues, each light as a coloured band and each moving channel as
a curve. Pure: sound and events in, text out. Times are seconds since the recordings began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from companion.demo import svg
from companion.demo.sentence_alignment import align_sentences, truncate_to_heard

WIDTH = 1200
LEFT, RIGHT = 128, 1172
"""Ends of the time axis, in pixels."""

_ALARM, _PERSON, _CHARACTER, _CURVE = "#c0392b", "#2f6690", "#c8642a", "#3a7d5d"
_STATES = {
    "idle": "#eef0f2",
    "listening": "#cfe3f3",
    "thinking": "#e3d8f1",
    "speaking": "#fbe0c8",
    "follow_up": "#d7eddc",
    "muted": "#d9d9d9",
}
_STAGES = {
    "endpoint": ("silence", "#d3dbe3"),
    "transcribe": ("transcribe", "#9fc5e0"),
    "request": ("request", "#4f86c6"),
    "first_token": ("first token", "#b9a6dc"),
    "first_sentence": ("first clause", "#e3a8c3"),
    "ready": ("its sound", "#e9c46a"),
    "allowed": ("rest of the pause", "#d3dbe3"),
    "first_sound": ("first sound", "#f0a868"),
}

Event = Mapping[str, Any]
"""One line of the events file; docs/events.md describes every kind."""


def draw_turn(
    user_pcm: bytes,
    reply_pcm: bytes,
    rate_user: int,
    rate_reply: int,
    events: Sequence[Event],
    start_s: float,
    end_s: float,
    units: Mapping[str, str] | None = None,
) -> str:
    """Draw what happened from `start_s` to `end_s`. `units` are the signs behind the values of the moving channels.

    Both sounds are complete recordings, 16-bit mono, that began at time 0. `events` may be those of the whole session.
    After the end of a recording nothing is drawn. Raises `ValueError` when `end_s` is not after `start_s`.
    """
    if end_s <= start_s:
        raise ValueError("a picture needs an end after its start")
    picture = _Picture(events, start_s, end_s, units or {})
    picture.header()
    picture.states()
    picture.person(user_pcm, rate_user)
    picture.latency()
    picture.character(reply_pcm, rate_reply)
    picture.cues()
    picture.lights()
    picture.curves()
    return picture.document()


class _Picture:
    """Draws the lanes from top to bottom; `y` is the top of the next one."""

    def __init__(self, events: Sequence[Event], start: float, end: float, units: Mapping[str, str]) -> None:
        self.start, self.end, self.units = start, end, units
        ordered = sorted(events, key=lambda one: float(one["t"]))
        # The last state and frame before the start still hold when the picture begins.
        initial = [[one for one in ordered if one["kind"] == kind and one["t"] < start] for kind in ("state", "body")]
        self.events: list[Event] = [{**kind[-1], "t": start} for kind in initial if kind]
        self.events += [one for one in ordered if start <= one["t"] <= end]
        self.parts: list[str] = []
        self.y = 70.0

    def x(self, t: float) -> float:
        """The horizontal position of a time, limited to the time axis."""
        return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, (t - self.start) / (self.end - self.start)))

    def events_of(self, kind: str) -> list[Event]:
        return [one for one in self.events if one["kind"] == kind]

    def first_event(self, kind: str) -> Event:
        """The first event of this kind, or an empty one."""
        return next(iter(self.events_of(kind)), {})

    def caption(self, name: str, y: float, colour: str = svg.INK) -> None:
        self.parts.append(svg.text(LEFT - 10, y, svg.truncate(name, LEFT - 20, 13), 13, colour, "end", 600))

    def wave(self, pcm: bytes, rate: int, middle: float, colour: str) -> None:
        edges = np.round(np.linspace(self.start, self.end, RIGHT - LEFT + 1) * rate).astype(int).tolist()
        self.parts.append(svg.horizontal_line(LEFT, RIGHT, middle, colour, 0.4))
        self.parts.append(svg.sound_outline(_samples(pcm), edges, LEFT, middle, 40, colour))

    def header(self) -> None:
        reason = self.first_event("heard").get("reason", "")
        said = str(self.first_event("utterance").get("text", ""))
        span = f"{self.start:.1f} to {self.end:.1f} s" + (f", {reason}" if reason else "")
        heading = f"“{svg.truncate(said, 440, 22)}”" if said else "One turn"
        behind = LEFT + svg.width_of(heading, 22) * 1.15 + 12
        self.parts += [svg.text(LEFT, 34, heading, 22, weight=600), svg.text(behind, 34, span, 13, svg.FAINT)]
        if "first_sound" in (stages := self.stages()):
            shown = f"{sum(stages.values()):,.0f} ms"
            left = RIGHT - svg.width_of(shown, 22) * 1.15 - 12
            self.parts.append(svg.text(RIGHT, 34, shown, 22, anchor="end", weight=600))
            self.parts.append(svg.text(left, 34, "last word to first sound", 13, svg.FAINT, "end"))

    def states(self) -> None:
        """The conversation's state as a coloured band."""
        self.caption("state", self.y + 13)
        for left, right, change in self.spans([(one["t"], one) for one in self.events_of("state")]):
            name = str(change.get("state", ""))
            label = name.replace("_", " ")
            self.parts.append(svg.box(left, self.y, right - left, 17, _STATES.get(name, "#eeeeee"), hint=label))
            if svg.width_of(label, 11) + 8 < right - left:
                self.parts.append(svg.text(left + 5, self.y + 12.5, label, 11, svg.FAINT))
        self.y += 30

    def person(self, pcm: bytes, rate: int) -> None:
        """The person's sound, the recognised text, and the wake word."""
        y = self.y
        self.caption("person", y + 76, _PERSON)
        for said in self.events_of("utterance"):
            left, right = self.x(said.get("start", said["t"])), self.x(said.get("end", said["t"]))
            words = svg.truncate(f"“{said.get('text', '')}”", RIGHT - LEFT, 15)
            self.parts.append(svg.box(left, y + 28, right - left, 86, "#e4eef6"))
            self.parts.append(svg.text(min(left, RIGHT - svg.width_of(words, 15)), y + 18, words, 15, _PERSON))
        self.wave(pcm, rate, y + 71, _PERSON)
        for wake in self.events_of("wake"):
            x, label = self.x(wake["t"]), f"woken: {wake.get('word', '')}"
            fits = x - svg.width_of(label, 12) > LEFT - 60
            self.parts.append(svg.vertical_line(x, y + 8, y + 114, _PERSON, 1.5))
            self.parts.append(
                svg.text(x - 5, y + 18, label, 12, _PERSON, "end")
                if fits
                else svg.text(x + 5, y + 111, label, 12, _PERSON)
            )
        self.y += 116

    def stages(self) -> dict[str, float]:
        """The milliseconds of each stage that was reached.

        With files an answer is made while the sound stands still, so what it leaves of the pause is a wait, too.
        """
        measured, said, sound = (self.first_event(kind) for kind in ("turn", "utterance", "speaking"))
        took = measured.get("latency_ms", {})
        stages = {name: float(took[name]) for name in _STAGES if name in took}
        if said and sound and "allowed" in stages:
            stages["allowed"] += max(0.0, (sound["t"] - said.get("end", said["t"])) * 1000 - sum(stages.values()))
        return stages

    def latency(self) -> None:
        """Every stage in proportion; the full width is the time from the last word to the first sound."""
        stages = self.stages()
        whole = sum(stages.values())
        if whole <= 0:
            self.y += 8
            return
        y, said, sound = self.y, self.first_event("utterance"), self.first_event("speaking")
        self.caption("latency", y + 45)
        if said and sound:
            left, right = self.x(said.get("end", said["t"])), self.x(sound["t"])
            glass = f"M{left:.1f} {y - 2}L{LEFT} {y + 28}H{RIGHT}L{right:.1f} {y - 2}Z"
            self.parts.append(f'<path d="{glass}" fill="#e9edf0"/>')
        x = float(LEFT)
        at = LEFT + 2.0
        for name, ms in stages.items():
            title, colour = _STAGES[name]
            width = (RIGHT - LEFT) * ms / whole
            label = f"{title} {ms:,.0f} ms" if ms >= 10 else f"{title} {ms:.1f} ms"
            self.parts.append(svg.box(x, y + 28, max(width, 1.0), 26, colour, hint=label))
            if svg.width_of(label, 12) < width:
                self.parts.append(svg.text(x + width / 2, y + 45.5, label, 12, anchor="middle"))
            else:
                # A legend of those whose bar is too narrow for its name.
                self.parts.append(svg.box(at, y + 63, 11, 11, colour))
                self.parts.append(svg.text(at + 16, y + 73, label, 12))
                at += svg.width_of(label, 12) + 36
            x += width
        self.made_ahead(stages, whole)
        self.y += 86

    def made_ahead(self, stages: Mapping[str, float], whole: float) -> None:
        """Marks what was done before the person was sure to have finished, when nothing of it could be heard."""
        said, begin = self.first_event("utterance"), stages.get("endpoint", 0.0) + stages.get("transcribe", 0.0)
        until = min(whole, (said["t"] - said.get("end", said["t"])) * 1000) if said else 0.0
        if "request" not in stages or until - begin < 1:
            return
        left, right = (LEFT + (RIGHT - LEFT) * ms / whole for ms in (begin, until))
        self.parts.append(svg.horizontal_line(left, right, self.y + 25, _PERSON, 3))
        self.parts.append(svg.vertical_line(right, self.y + 18, self.y + 58, _PERSON, 1.5))
        label, middle = "made ahead, unheard", (left + right) / 2
        if svg.width_of(label, 12) < right - left:
            self.parts.append(svg.text(middle, self.y + 19, label, 12, _PERSON, "middle"))

    def character(self, pcm: bytes, rate: int) -> None:
        """The character's sound, with each sentence above it."""
        y, top = self.y, self.y + 56
        self.caption("character", top + 48, _CHARACTER)
        places = list(self.sentences(pcm, rate))
        for number, (text, begin, end) in enumerate(places):
            left, right = self.x(begin), self.x(end)
            # The last text may extend to the border, as nothing follows it.
            room = (RIGHT if number == len(places) - 1 else right) - left - 8
            self.parts.append(svg.box(left, top, right - left, 86, "#fdf0e4" if number % 2 == 0 else "#fae3cf", text))
            self.parts.append(svg.vertical_line(left, y + 4, top + 86, _CHARACTER, 0.7))
            for row, words in enumerate(svg.wrap(text, room, 13, lines=3)):
                self.parts.append(svg.text(left + 5, y + 16 + 16 * row, words, 13, _CHARACTER))
        self.wave(pcm, rate, top + 43, _CHARACTER)
        for heard in self.events_of("heard"):
            reason = str(heard.get("reason", ""))
            if reason != "finished":
                x = self.x(heard["t"])
                fits = x + 6 + svg.width_of(reason, 12) < RIGHT
                self.parts.append(svg.vertical_line(x, top - 6, top + 92, _ALARM, 2))
                label_x, anchor = (x + 6, "start") if fits else (x - 6, "end")
                self.parts.append(svg.text(label_x, top + 84, reason, 12, _ALARM, anchor))
        self.y = top + 100

    def sentences(self, pcm: bytes, rate: int) -> Iterator[tuple[str, float, float]]:
        """The sentences that were heard, each with its begin and end in seconds."""
        sound, heard = self.first_event("speaking"), self.first_event("heard")
        texts = [str(one.get("text", "")).strip() for one in self.events_of("sentence")]
        texts = [text for text in texts if text]
        if heard:
            texts = truncate_to_heard(texts, str(heard.get("text", "")))
        if sound:
            yield from align_sentences(texts, _samples(pcm), rate, sound["t"], heard.get("t", self.end))

    def cues(self) -> None:
        """The cues and the errors, each with its label below its time."""
        marks = [(one, _cue_label(one), svg.INK) for one in self.events_of("cue")]
        marks += [(one, f"error: {one.get('code', '')}", _ALARM) for one in self.events_of("error")]
        if not marks:
            return
        self.caption("cues", self.y + 16)
        free = [0.0] * 6
        strokes, labels = [], []
        for one, label, colour in sorted(marks, key=lambda mark: float(mark[0]["t"])):
            x, width = self.x(one["t"]), svg.width_of(label, 12) + 16
            left = min(x, RIGHT - width)
            row = next((i for i, end in enumerate(free) if end <= left), len(free) - 1)
            free[row] = left + width + 6
            y = self.y + 2 + 24 * row
            strokes += [svg.vertical_line(x, self.y - 14, y + 10, colour, 1.2), svg.box(x - 3, self.y - 17, 6, 6, colour, "", 3)]
            hint = str(one.get("source") or one.get("sentence") or "")
            labels += [
                svg.box(left, y, width, 20, colour, radius=10),
                svg.box(left + 1, y + 1, width - 2, 18, "#ffffff", hint, radius=9),
                svg.text(left + width / 2, y + 14.5, label, 12, colour, "middle"),
            ]
        self.parts += [*strokes, *labels]
        self.y += 14 + 24 * sum(end > 0 for end in free)

    def lights(self) -> None:
        """Each light as a band of its colours."""
        for name, values in self.channels("lights"):
            self.caption(name, self.y + 15)
            self.parts.append('<g shape-rendering="crispEdges">')
            for left, right, value in self.spans(values):
                red, green, blue = (min(255, max(0, int(part))) for part in value)
                self.parts.append(svg.box(left, self.y, right - left, 20, f"#{red:02x}{green:02x}{blue:02x}"))
            self.parts.append("</g>")
            self.y += 28

    def curves(self) -> None:
        """Each moving channel as a curve, labelled with its largest value."""
        for name, values in self.channels("positions"):
            lowest, top = min(value for _, value in values), max(abs(value) for _, value in values) or 1.0
            middle, room = (self.y + 38, 34) if lowest >= 0 else (self.y + 21, 18)
            self.caption(name, self.y + 20)
            unit = self.units.get(name, "")
            limit = f"to {top:.3g}{unit}" if lowest >= 0 else f"±{top:.3g}{unit}"
            self.parts.append(svg.text(LEFT - 10, self.y + 35, limit, 11, svg.FAINT, "end"))
            self.parts.append(svg.horizontal_line(LEFT, RIGHT, middle, svg.LINE))
            points: list[str] = []
            for left, right, value in self.spans(values):
                y = middle - room * value / top
                # A value holds until the next frame.
                points += [f"{left:.1f},{y:.1f}", f"{right:.1f},{y:.1f}"]
            self.parts.append(
                f'<polyline points="{" ".join(points)}" fill="none" stroke="{_CURVE}" stroke-width="1.6"/>'
            )
            self.y += 48

    def channels(self, part: str) -> Iterator[tuple[str, list[tuple[float, Any]]]]:
        """Each channel of the body with its values over time."""
        frames = self.events_of("body")
        for name in dict.fromkeys(name for one in frames for name in one.get(part, {})):
            yield name, [(one["t"], one[part][name]) for one in frames if name in one.get(part, {})]

    def spans(self, values: Sequence[tuple[float, Any]]) -> Iterator[tuple[float, float, Any]]:
        """Left edge, right edge and value of each period in which the value stays the same."""
        changes = [one for i, one in enumerate(values) if i == 0 or one[1] != values[i - 1][1]]
        ends = [t for t, _ in changes[1:]] + [self.end]
        for (t, value), end in zip(changes, ends, strict=False):
            yield self.x(t), self.x(end), value

    def document(self) -> str:
        """The whole document, with a time axis above and below."""
        height = round(self.y) + 28
        span = self.end - self.start
        step = next((one for one in (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60) if span / one <= 20), span)
        ruler: list[str] = []
        for tick in range(int(np.ceil(self.start / step)), int(self.end / step) + 1):
            x = self.x(tick * step)
            ruler.append(svg.vertical_line(x, 64, height - 22, svg.LINE, 0.7))
            ruler += [svg.text(x, y, f"{tick * step:g} s", 11, svg.FAINT, "middle") for y in (60, height - 8)]
        return svg.document(WIDTH, height, [*ruler, *self.parts])


def _cue_label(cue: Event) -> str:
    names = [str(cue[part]).replace("_", " ") for part in ("emotion", "gesture") if cue.get(part)]
    return f"{' + '.join(names)} {float(cue.get('intensity', 1.0)):.1f}"


def _samples(pcm: bytes) -> svg.Samples:
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2")
