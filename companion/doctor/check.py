"""What a check is, what it is given, and how checks are run: one after the other, each within its time.

A check is a coroutine function that returns a `CheckResult`. A `CompanionError` that it raises is a FAIL with the
error's sentence. A check that exceeds its time is cut off: a FAIL that says so. Blocking calls run in a thread
(`run_in_thread`). A cut-off leaves that thread behind, so whoever ran the checks has to end the process by force.

The operator at the test station answers what no sensor can tell. Questions go to stderr, answers come from the
terminal, which is watched by the event loop and never waited for: a question without an answer times out by itself.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO, TypeVar

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.wording import as_sentence
from companion.doctor.report import CheckResult, CompletedCheck, failed, skipped
from companion.errors import CompanionError, DeviceError

LONGEST_S = 60.0
"""Time limit of all checks together, not counting questions to the operator."""

PATIENCE_S = 30.0
"""How long to wait for an answer of the operator."""

STOP_DAEMON_ADVICE = "Stop the companion for the test (sudo systemctl stop companion) and start it again afterwards."

T = TypeVar("T")

Answer = Literal["yes", "no", "again", "none"]

_WORDS: dict[str, Answer] = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "r": "again", "again": "again"}


class Operator(Protocol):
    """A person at the test station."""

    async def ask(self, question: str) -> Answer:
        """Ask a yes-or-no question. `again` asks for another demonstration; `none` means no answer in time."""

    def tell(self, text: str) -> None:
        """Tell the operator what to do now."""


class TerminalOperator:
    """An operator at a terminal. Satisfies `Operator`."""

    def __init__(self, input_fd: int, output: TextIO, patience_s: float = PATIENCE_S) -> None:
        """`input_fd` is the terminal's file descriptor."""
        self._input_fd = input_fd
        self._output = output
        self._patience_s = patience_s

    async def ask(self, question: str) -> Answer:
        """See `Operator.ask`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    self._output.write(f"  ?  {question} [y = yes, n = no, r = once more] ")
                    self._output.flush()
                    ready = asyncio.Event()
                    loop.add_reader(self._input_fd, ready.set)
                    try:
                        await ready.wait()
                        line = os.read(self._input_fd, 1024)
                    finally:
                        loop.remove_reader(self._input_fd)
                    if not line:
                        return "none"
                    answer = _WORDS.get(line.decode("utf-8", "replace").strip().casefold())
                    if answer is not None:
                        return answer
        except TimeoutError:
            self._output.write("(no answer)\n")
            return "none"
        except OSError:
            # The terminal is gone, and the operator with it.
            return "none"

    def tell(self, text: str) -> None:
        """See `Operator.tell`."""
        self._output.write(f"  >  {text}\n")
        self._output.flush()


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What a check can use even where the unit's settings files are wrong."""

    state: Path
    """The unit's state folder."""
    operator: Operator | None = None
    """Who answers questions; None in an automatic test."""
    daemon: Mapping[str, Any] | None = None
    """The running companion's status (`companion.service.status`); None while none runs."""
    daemon_error: str = ""
    """Why a companion that seems to run did not answer."""
    socket: Path | None = None
    """The companion's control socket, where it is not at the usual place."""
    pace: float = 1.0
    """Factor on the duration of the body's motions: 1 is a pace that a person can follow. Tests use less."""

    @property
    def daemon_runs(self) -> bool:
        """Whether a running companion probably holds this unit's devices."""
        return self.daemon is not None or bool(self.daemon_error)

    def with_daemon_hint(self, error: DeviceError) -> DeviceError:
        """The error, with advice to stop the running companion where that may be the cause."""
        return DeviceError(f"{as_sentence(str(error))} {STOP_DAEMON_ADVICE}") if self.daemon_runs else error


@dataclass(frozen=True, kw_only=True)
class UnitUnderTest(CheckContext):
    """The unit under test, with its settings."""

    device: Device
    persona: Persona

    def with_gain(self, gain: float) -> UnitUnderTest:
        """The same unit with another microphone gain."""
        microphone = self.device.ears.microphone.model_copy(update={"gain": gain})
        ears = self.device.ears.model_copy(update={"microphone": microphone})
        return replace(self, device=self.device.model_copy(update={"ears": ears}))


@dataclass(frozen=True)
class Check:
    """One check of the test plan."""

    name: str
    run: Callable[[], Awaitable[CheckResult]]
    advice: str
    """What to do when it hangs, or fails with an error that gives no advice."""
    limit_s: float = 5.0
    needs: tuple[str, ...] = ()
    """Checks that must not have failed; else this one is a SKIP."""
    asks: bool = False
    """Whether the operator is asked. The operator's time does not count."""


async def run_checks(
    checks: Sequence[Check], failures: set[str], longest_s: float = LONGEST_S
) -> AsyncIterator[CompletedCheck]:
    """Run the checks in order and yield each as it completes. Adds the names of failed ones to `failures`."""
    left_s = longest_s
    for check in checks:
        if missing := [name for name in check.needs if name in failures]:
            yield CompletedCheck(check.name, skipped(f"not tried, because {missing[0]} failed"), 0.0)
            continue
        done = await _run_check(check, check.limit_s if check.asks else min(check.limit_s, left_s))
        if not check.asks:
            left_s = max(0.0, left_s - done.seconds)
        if done.result.outcome == "fail":
            failures.add(check.name)
        yield done


async def _run_check(check: Check, limit_s: float) -> CompletedCheck:
    began = time.monotonic()
    cut_off = False
    try:
        async with asyncio.timeout(limit_s) as limit:
            result = await check.run()
    except TimeoutError:
        cut_off = limit.expired()
        if not cut_off:
            raise
        result = failed(f"did not come to an end within {limit_s:.0f} s, and was cut off", check.advice)
    except CompanionError as error:
        # The error may bring the advice with it.
        result = failed(str(error).replace(f" {check.advice}", ""), check.advice)
    return CompletedCheck(check.name, result, time.monotonic() - began, cut_off)


async def run_in_thread(work: Callable[[], T]) -> T:
    """Run a blocking call in a thread of its own. One that hangs is left behind when the caller is cancelled."""
    executor = ThreadPoolExecutor(1, "doctor")
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, work)
    finally:
        executor.shutdown(wait=False)
