"""When it is night, by the clock on the wall: quiet hours of the voice, dimmed hours of the lights."""

from __future__ import annotations

from datetime import UTC, time

import pytest

from companion.config.hours import in_hours


@pytest.mark.parametrize(
    ("hours", "now", "quiet"),
    [
        ("20:00-07:00", time(19, 59, 59), False),
        ("20:00-07:00", time(20, 0), True),
        ("20:00-07:00", time(0, 0), True),
        ("20:00-07:00", time(6, 59, 59), True),
        ("20:00-07:00", time(7, 0), False),
        ("20:00-07:00", time(12, 0), False),
        ("13:00-15:30", time(12, 59), False),
        ("13:00-15:30", time(13, 0), True),
        ("13:00-15:30", time(15, 29), True),
        ("13:00-15:30", time(15, 30), False),
        ("13:00-13:00", time(13, 0), False),
        ("", time(0, 0), False),
    ],
)
def test_hours_hold_their_beginning_and_not_their_end_and_go_over_midnight(hours: str, now: time, quiet: bool) -> None:
    assert in_hours(hours, now) is quiet
    assert in_hours(hours, now.replace(tzinfo=UTC)) is quiet
