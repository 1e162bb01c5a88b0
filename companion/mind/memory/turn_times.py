"""How long the last answers took, stage by stage: never what was said, and nothing of who spoke.

Only answers to somebody are kept: for others nobody waited. SQL, on the store's thread, but for `keep`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from companion.events import TurnEnded
from companion.mind.memory.database import Connection
from companion.mind.memory.store import Store

KEPT = 2000
"""So many turns are kept; older ones are deleted."""


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """The times of one answer."""

    at: datetime
    """When it was over, in local time, to the second."""
    reason: str
    """How it ended: an `events.EndReason`."""
    dropped: int
    """How many answers were made ahead and dropped before it."""
    latency_ms: Mapping[str, float]
    """Milliseconds by stage: docs/events.md."""


def keep(store: Store, ended: TurnEnded, at: datetime) -> None:
    """Keep the times of a turn that is over. Returns at once, and causes no write of its own."""
    if "endpoint" in ended.latency_ms:
        row = (at.isoformat(timespec="seconds"), ended.reason, ended.dropped, json.dumps(ended.latency_ms))
        store.write(lambda on: _enter(on, row), lazy=True)


def last_turns(on: Connection, count: int) -> list[TurnTimes]:
    """The last `count` turns, the newest first. Rows that are damaged are passed over."""
    rows = on.execute("SELECT at, reason, dropped, latency_ms FROM turns ORDER BY id DESC LIMIT ?", (count,))
    return [one for row in rows if (one := _read(*row)) is not None]


def _enter(on: Connection, row: tuple[str, str, int, str]) -> None:
    on.execute("INSERT INTO turns (at, reason, dropped, latency_ms) VALUES (?, ?, ?, ?)", row)
    on.execute("DELETE FROM turns WHERE id <= (SELECT max(id) FROM turns) - ?", (KEPT,))


def _read(at: str, reason: str, dropped: int, latency_ms: str) -> TurnTimes | None:
    try:
        told = json.loads(latency_ms)
        return TurnTimes(
            datetime.fromisoformat(at), reason, int(dropped), {str(name): float(ms) for name, ms in told.items()}
        )
    except (ValueError, TypeError, AttributeError):
        return None
