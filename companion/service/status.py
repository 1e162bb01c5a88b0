"""The device's status, for `companion status` and the metrics.

It never contains what people or the character said. Times are seconds of the loop's clock. Memory is the resident set
in mebibytes (`VmRSS` of proc(5)). Temperature is in degrees Celsius (the hottest zone of /sys/class/thermal, which has
thousandths of a degree). All on the loop; reading these files takes well under 1 ms.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from companion import __version__
from companion.events import EAR_RATE, State, TurnEnded
from companion.ports import Body
from companion.service.latency_histograms import LatencyHistograms

if TYPE_CHECKING:
    from companion.ears.neighbour_link import NeighbourLink
    from companion.mind.memory.guard_records import GuardRecords
    from companion.mind.memory.store import Store

_KIND = {"state": "folder", "memory": "folder"}
_OWN_MEMORY = Path("/proc/self/status")
_ZONES = Path("/sys/class/thermal")


@dataclass(frozen=True, slots=True)
class LastTurn:
    """The last turn, without its text."""

    ago_s: float
    """Seconds since it ended."""
    reason: str
    """How it ended: an `events.EndReason`."""
    latency_ms: dict[str, float]
    """Duration of each stage: docs/events.md."""


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot of the device."""

    name: str
    persona: str
    version: str
    state: str
    """`starting`, or one of `events.State`."""
    muted: bool
    uptime_s: float
    memory_mib: float | None
    """None where the system does not say."""
    temperature_c: float | None
    """None where the board has no sensor."""
    turns: int
    """Turns since the start."""
    dropped_frames: int
    """Samples of sound (at 16 kHz) that were lost since the start."""
    lost_sound_s: float
    """The same in seconds: what the card or the ears could not take in time."""
    last_turn: LastTurn | None
    engines: dict[str, str] = field(default_factory=dict)
    """The engine in use for each task: `transcriber` to `vosk`."""
    links: dict[str, str] = field(default_factory=dict)
    """`microphone`, `body`, `character`, and `neighbours` where they are asked, each with `well`, or with what is wrong
    in a few words."""
    files: dict[str, str] = field(default_factory=dict)
    """Paths: `device`, `persona`, and where they are known `state` and `memory` (folders)."""
    queues: dict[str, int] = field(default_factory=dict)
    """Length of each queue."""
    problems: tuple[str, ...] = ()
    """What is missing, why the watchdog is not fed, and what is wrong with the memory; empty while all is well."""
    recording: str = ""
    """Until when and where sound is recorded for a diagnosis (`ears.record`), or why no more; empty where it is not."""
    wakes_yielded: int = 0
    """Wake words since the start that were left to a neighbour (`ears.wake.neighbours`)."""
    blocked_today: int = 0
    """What the policy kept from being said today, local time, or from being answered."""
    talk_today_s: float = 0.0
    """How long was talked today, local time."""
    talk_left_s: float | None = None
    """How long may be talked today yet; None where there is no limit."""
    refuses: str = ""
    """Why no talk may begin now: `resting`, `day_over`, `bedtime` or `consent`; empty where it may."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"problems": list(self.problems)}


class HealthMonitor:
    """Counts turns, and collects everything else when the status is read."""

    def __init__(
        self,
        name: str,
        *,
        persona: Callable[[], str],
        state: Callable[[], State | None],
        engines: Mapping[str, str],
        links: Mapping[str, Callable[[], str]],
        files: Callable[[], Mapping[str, str]],
        queues: Mapping[str, Callable[[], int]],
        lost_s: Callable[[], float],
        problems: Callable[[], Sequence[str]],
        store: Store | None = None,
    ) -> None:
        """The times of every turn are kept in the `store`, where there is one."""
        self._name = name
        self._persona = persona
        self._state = state
        self._engines = dict(engines)
        self._links = dict(links)
        self._files = files
        self._queues = dict(queues)
        self._lost_s = lost_s
        self._problems = problems
        self.recording: Callable[[], str] = lambda: ""
        """What is told of a recording for a diagnosis."""
        self.neighbours: NeighbourLink | None = None
        self.records: GuardRecords | None = None
        self.talk: Callable[[], tuple[float, float | None, str]] = lambda: (0.0, None, "")
        """Seconds of talk today, seconds that are left, and why no talk may begin now."""
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self._turns = 0
        self._store = store
        self.latency = LatencyHistograms()
        self._last: tuple[float, str, dict[str, float]] | None = None

    def turn_ended(self, ended: TurnEnded) -> None:
        """Record when and how a turn ended, and how long it took, never what was said."""
        self._turns += 1
        self.latency.add(ended)
        if self._store is not None:
            # Whoever only asks for a status does without SQLite.
            from companion.mind.memory import turn_times

            turn_times.keep(self._store, ended, datetime.now())
        self._last = self._now(), ended.reason, dict(ended.latency_ms)

    def status(self) -> Status:
        """The device's present status."""
        now, state, near = self._now(), self._state(), self.neighbours
        talked_s, left_s, refuses = self.talk()
        last = None
        if self._last is not None:
            at, reason, latency_ms = self._last
            last = LastTurn(round(now - at, 1), reason, latency_ms)
        return Status(
            name=self._name,
            persona=self._persona(),
            version=__version__,
            state="starting" if state is None else state.value,
            muted=state is State.MUTED,
            uptime_s=round(now - self._began, 1),
            memory_mib=memory_mib(),
            temperature_c=temperature_c(),
            turns=self._turns,
            dropped_frames=round(self._lost_s() * EAR_RATE),
            lost_sound_s=round(self._lost_s(), 2),
            last_turn=last,
            engines=self._engines,
            links={name: ask() for name, ask in self._links.items()}
            | ({} if near is None else {"neighbours": near.trouble or "well"}),
            files=dict(self._files()),
            queues={name: ask() for name, ask in self._queues.items()},
            problems=tuple(self._problems()),
            recording=self.recording(),
            wakes_yielded=0 if near is None else near.wakes_yielded,
            blocked_today=0 if self.records is None else self.records.blocked_today,
            talk_today_s=round(talked_s, 1),
            talk_left_s=None if left_s is None else round(left_s, 1),
            refuses=refuses,
        )


def _talk_text(status: Mapping[str, Any]) -> str:
    talked, left, refuses = (status.get(name) for name in ("talk_today_s", "talk_left_s", "refuses"))
    if not isinstance(talked, int | float):
        return ""
    text = f"{talked / 60:.0f} min" + (f", {left / 60:.0f} min left" if isinstance(left, int | float) else "")
    return f"{text}; no talk now ({refuses})" if refuses else text


def trouble_of(bodies: Iterable[Body]) -> str:
    """What is wrong with a body's link; only bodies behind a wire know."""
    return next((trouble for body in bodies if (trouble := getattr(body, "trouble", ""))), "")


def memory_mib(source: Path = _OWN_MEMORY) -> float | None:
    """Resident memory of this process; None where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        for line in source.read_text("ascii", "replace").splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024, 1)
    return None


def temperature_c(zones: Path = _ZONES) -> float | None:
    """Temperature of the hottest thermal zone; None where there is none."""
    found = []
    for zone in zones.glob("thermal_zone*/temp"):
        with suppress(OSError, ValueError):  # a sensor that is switched off cannot be read
            found.append(int(zone.read_text("ascii", "replace")) / 1000)
    return round(max(found), 1) if found else None


def format_status(status: Mapping[str, Any]) -> str:
    """The status as lines for a person. Missing and unknown fields are tolerated, as versions may differ."""
    state = str(status.get("state", "unknown")) + (", muted" if status.get("muted") else "")
    lines = [
        ("device", f"{status.get('name', '?')} (companion {status.get('version', '?')})"),
        ("persona", status.get("persona", "?")),
        ("state", "muted" if state == "muted, muted" else state),
        ("up for", _duration(status.get("uptime_s"))),
        ("last turn", _last_turn_text(status.get("last_turn"))),
        ("turns", status.get("turns", "?")),
        ("memory", _with_unit(status.get("memory_mib"), "MiB")),
        ("temperature", _with_unit(status.get("temperature_c"), "°C")),
        *(("talk today", text) for text in [_talk_text(status)] if text),
        *(("blocked today", f"{count}") for count in [status.get("blocked_today")] if count),
        ("lost sound", _with_unit(status.get("lost_sound_s"), "s")),
        *((str(name), f"{engine}") for name, engine in _table(status.get("engines"))),
        *((f"{name} link", link) for name, link in _table(status.get("links"))),
        *((f"{name} {_KIND.get(name, 'file')}", path) for name, path in _table(status.get("files"))),
        *((f"{name} queue", waiting) for name, waiting in _table(status.get("queues"))),
        *(("RECORDING", told) for told in [status.get("recording")] if told),
        *(("PROBLEM", problem) for problem in _list(status.get("problems"))),
    ]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def _table(value: object) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _with_unit(value: object, unit: str) -> str:
    return f"{value:g} {unit}" if isinstance(value, int | float) else "not told by this system"


def _duration(seconds: object) -> str:
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{amount} {unit}" for amount, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if amount]
    return " ".join([*parts, f"{rest} s"]) if not days else " ".join(parts)


def _last_turn_text(last: object) -> str:
    if not isinstance(last, Mapping):
        return "none yet"
    total = dict(_table(last.get("latency_ms"))).get("total")
    took = f", first sound after {total:.0f} ms" if isinstance(total, int | float) else ""
    return f"{last.get('reason', '?')}, {_duration(last.get('ago_s'))} ago{took}"
