"""The body on the terminal: strict about what it is shown, and sparing with the terminal."""

from __future__ import annotations

import asyncio
import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.body.simulated import SimulatedBody, build, draw_line
from companion.config.body import BodySettings, ChannelSettings
from companion.config.device import Device
from companion.config.persona import Persona
from companion.events import BodyFrame
from companion.terminal import Terminal

pytestmark = pytest.mark.looptime

CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-40, high=40),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}
STILL = BodyFrame({"glow": (1, 2, 3)}, {"head": 0.0, "mouth": 0.0})


class Window(io.StringIO):
    """A terminal that counts how often it was drawn on, and may be closed by its window."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False
        self.drawn = 0

    def flush(self) -> None:
        if self.gone:
            raise OSError(5, "Input/output error")
        self.drawn += 1


def visible(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", line)


@pytest.mark.parametrize(
    "frame",
    [
        BodyFrame({"lamp": (0, 0, 0)}, {}),
        BodyFrame({}, {"tail": 0.0}),
        BodyFrame({"head": (0, 0, 0)}, {}),
        BodyFrame({}, {"glow": 0.0}),
        BodyFrame({"glow": (0, 0, 256)}, {}),
        BodyFrame({"glow": (-1, 0, 0)}, {}),
        BodyFrame({"glow": (0.5, 0, 0)}, {}),  # type: ignore[dict-item]
        BodyFrame({"glow": (0, 0)}, {}),  # type: ignore[dict-item]
        BodyFrame({}, {"head": 40.01}),
        BodyFrame({}, {"head": math.nan}),
        BodyFrame({}, {"mouth": -0.01}),
        BodyFrame({}, {"mouth": math.inf}),
    ],
)
async def test_a_frame_that_no_body_could_show_is_refused(frame: BodyFrame) -> None:
    body = SimulatedBody(CHANNELS)
    await body.show(STILL)
    with pytest.raises(ValueError, match=r"."):
        await body.show(frame)
    assert body.frame == STILL


async def test_a_closed_body_refuses_frames_and_is_neutral() -> None:
    body = SimulatedBody(CHANNELS)
    await body.show(STILL)
    await body.close()
    await body.close()
    assert body.frame == BodyFrame({"glow": (0, 0, 0)}, {"head": 0.0, "mouth": 0.0})
    with pytest.raises(ValueError, match="closed"):
        await body.show(STILL)


async def test_it_draws_one_line_in_place_at_most_twenty_times_a_second() -> None:
    terminal = Window()
    body = SimulatedBody(CHANNELS, Terminal(terminal))
    for step in range(100):
        await body.show(BodyFrame({"glow": (step, 0, 0)}, {"head": step / 3, "mouth": step / 100}))
        await asyncio.sleep(0.02)
    assert 30 <= terminal.drawn <= 41
    assert "\n" not in terminal.getvalue()


async def test_the_last_frame_is_always_drawn() -> None:
    terminal = Window()
    body = SimulatedBody(CHANNELS, Terminal(terminal))
    await body.show(STILL)
    await asyncio.sleep(0.001)
    await body.show(BodyFrame({"glow": (200, 0, 7)}, {"head": 40.0, "mouth": 1.0}))
    await asyncio.sleep(1)
    assert "48;2;200;0;7m" in terminal.getvalue()
    assert terminal.drawn == 2
    await asyncio.sleep(60)
    assert terminal.drawn == 2, "a body at rest draws nothing"
    await body.close()
    assert terminal.getvalue().endswith("\n")


async def test_a_terminal_that_goes_away_does_not_stop_the_talk(caplog: pytest.LogCaptureFixture) -> None:
    terminal = Window()
    body = SimulatedBody(CHANNELS, Terminal(terminal))
    terminal.gone = True
    for _ in range(10):
        await body.show(STILL)
        await asyncio.sleep(0.1)
    await body.close()
    assert len(caplog.records) == 1


async def test_without_a_terminal_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    persona = Persona.model_validate(
        {"name": "x", "profile": {"details": "x"}, "lines": {"offline": ["x"], "failed": ["x"]}}
    )
    body = build(Device(persona="x"), persona)  # type: ignore[arg-type]
    await body.show(BodyFrame({"glow": (1, 1, 1)}, {"head": 3.0, "mouth": 0.5}))
    await body.close()
    assert capsys.readouterr() == ("", "")


FRAMES = st.builds(
    lambda colour, head, mouth: BodyFrame({"glow": colour}, {"head": head, "mouth": mouth}),
    st.tuples(*[st.integers(0, 255)] * 3),
    st.floats(-45, 45),
    st.floats(0, 1),
)


@given(FRAMES, st.integers(20, 200))
def test_the_drawing_fits_its_line(frame: BodyFrame, width: int) -> None:
    line = visible(draw_line(BodySettings().channels, frame, width))
    assert len(line) <= width
    assert line.startswith("glow")


def test_the_drawing_shows_where_things_are() -> None:
    def seen(head: float, mouth: float) -> str:
        return visible(draw_line(CHANNELS, BodyFrame({"glow": (0, 0, 0)}, {"head": head, "mouth": mouth}), 79))

    assert "head ●────────" in seen(-40, 0)
    assert "head ────●────" in seen(0, 0)
    assert "head ────────●" in seen(40, 0)
    assert seen(0, 0).endswith("mouth ▁")
    assert seen(0, 1).endswith("mouth █")
