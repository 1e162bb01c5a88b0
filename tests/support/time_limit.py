"""An end for every test that hangs: it fails, by name, and its report says where it hung. The other tests go on.

Each phase of a test (set-up, call, tear-down) may take `LIMIT_S` of real time and `LIMIT_CPU_S` of processor time: a
loop without an end is found soon, also on a busy machine, where waiting takes long. `@pytest.mark.time_limit(seconds)`
replaces both, `(seconds, cpu_seconds)` each. A test on virtual time (`looptime`) has nothing to wait for: where its
process does nothing for a while, no clock will ever wake it, and it has failed already.

When the alarm rings, the running event loop is stopped, whatever its tasks do; where there is none, or where that did
not help by the next ring, an exception is raised that neither asyncio nor hypothesis keeps for itself. It rings until
the phase has ended. pytest-timeout does less: it rings once and fails whatever task happens to run, which need not be
the one that the test waits for. Where not even Python runs any more (a library that never returns), faulthandler prints
all stacks and ends the process.
"""

from __future__ import annotations

import asyncio
import faulthandler
import linecache
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

import pytest

LIMIT_S = 60.0
LIMIT_CPU_S = 5.0
"""The test that needs most takes 3."""

_TICK_S = 2.0
_BUSY_SHARE = 0.02
"""A process that used less than this share of a processor between two ticks did nothing."""

_GRACE_S = 30.0
"""How much later than the limit the process is ended, where raising did not help."""

_real_stderr: TextIO | None = None


class _Ring(KeyboardInterrupt):
    """The alarm rang. What keeps other exceptions lets this one through; `limited` makes a failure of it."""


def configure(config: pytest.Config) -> None:
    """Call this in `pytest_configure`."""
    global _real_stderr
    config.addinivalue_line(
        "markers", "time_limit(seconds): how long each phase of this test may take, really and on the processor."
    )
    # While a test runs, pytest keeps what is written to the usual one.
    _real_stderr = os.fdopen(os.dup(2), "w")
    config.add_cleanup(_real_stderr.close)


@contextmanager
def limited(item: pytest.Item, phase: str) -> Iterator[None]:
    """Let one phase of a test take no longer than it may; under a debugger, as long as it likes."""
    if item.config.getoption("usepdb"):
        yield
        return
    mark = item.get_closest_marker("time_limit")
    limit, limit_cpu = (mark.args[0], mark.args[-1]) if mark is not None else (LIMIT_S, LIMIT_CPU_S)
    virtual = phase == "call" and item.get_closest_marker("looptime") is not None
    began, began_cpu, why = time.monotonic(), time.process_time(), ""
    used = began_cpu

    def ring(_signal: int, frame: FrameType | None) -> None:
        nonlocal used, why
        used, before = time.process_time(), used
        if why:
            raise _Ring
        took = time.monotonic() - began
        if virtual and used - before < _BUSY_SHARE * _TICK_S:
            why = f"nothing has happened for {_TICK_S:g} s on virtual time, and nothing will"
        elif took >= limit:
            why = f"not over after {took:.0f} s"
        elif used - began_cpu >= limit_cpu:
            why = f"not over after {used - began_cpu:.0f} s of processor time"
        else:
            return
        item.add_report_section(phase, "where it hung", _where(frame))
        try:
            asyncio.get_running_loop().call_soon_threadsafe(asyncio.get_running_loop().stop)
        except RuntimeError:
            raise _Ring from None

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, min(_TICK_S, limit), min(_TICK_S, limit))
    faulthandler.dump_traceback_later(limit + _GRACE_S, file=_real_stderr or 2, exit=True)
    try:
        yield
    except BaseException:
        if not why:
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, previous)
    if why:
        raise pytest.fail.Exception(f"{item.nodeid} hangs ({phase}): {why}.", pytrace=False) from None


def _where(frame: FrameType | None) -> str:
    """What the main thread does, and what each task of its event loop waits for."""
    lines = ["the main thread, innermost first:"]
    while frame is not None and "/_pytest/" not in frame.f_code.co_filename:
        lines.append(_line(frame))
        frame = frame.f_back
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return "\n".join(lines)
    for task in sorted(tasks, key=lambda task: task.get_name()):
        lines.append(f"{task.get_name()}, innermost last:")
        lines += [_line(waiting) for waiting in _awaited(task.get_coro())]
    return "\n".join(lines)


def _awaited(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of what it awaits. A task tells only the outermost."""
    while coroutine is not None:
        for kind in ("cr", "ag", "gi"):
            if frame := getattr(coroutine, f"{kind}_frame", None):
                yield frame
        coroutine = next(
            (inner for name in ("cr_await", "ag_await", "gi_yieldfrom") if (inner := getattr(coroutine, name, None))),
            None,
        )


def _line(frame: FrameType) -> str:
    code = frame.f_code
    source = linecache.getline(code.co_filename, frame.f_lineno).strip()
    return f"  {code.co_filename}:{frame.f_lineno} {code.co_qualname}: {source}"
