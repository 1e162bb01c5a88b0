"""The emulator as a server on the loopback interface.

It stands for a remote machine, so it has its own daemon thread with its own loop (see `companion.local_server`), and
nothing that the device's loop does can slow it. `start` and `stop` are called from any other thread; both block, for
well below half a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from companion.emulator.control import Clock
from companion.emulator.limits import Limits, Region
from companion.emulator.script import CHARACTERS, load_cast
from companion.emulator.service import BASE_PATH, DASHSCOPE_PATH, Pace, Service
from companion.emulator.stand_in import StandIn
from companion.emulator.tokens import ranks_file
from companion.local_server import LocalServer

log = logging.getLogger("companion")


class EmulatorServer:
    """The stand-in on a port of its own. `start` it once, `stop` it once."""

    def __init__(
        self,
        *,
        port: int = 0,
        first_token_s: float = 0.06,
        piece_s: float = 0.005,
        faults: Iterable[str] = (),
        required_key: str | None = None,
        scripts: Path = CHARACTERS,
        region: Region = "international",
        limits: Limits | None = None,
        default_seed: int = 0,
        memory_least: int = 20,
        summary_tokens: int = 1_000,
        implicit_cache: int | None = None,
        control: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`port` 0 takes a free one. `faults` (names in `faults.FAULTS`) befall the chat requests one after the other;
        `itertools.repeat("stall")` makes it happen every time. `required_key` is the only key let in, where given.

        `scripts` is a folder of characters. `limits` None lets every request in. `default_seed` is that of a request
        without one: the service documents 1234. `memory_least` is the smallest `memory_entries` that is taken.
        `implicit_cache` is the least that requests without a session find in the cache; None: nothing.
        `control` serves `/emulator/...`, by which anybody on this machine can read what was asked lately.
        `clock` tells seconds since 1970.

        Raises `ConfigError` for a script that cannot be used, `ValueError` for a fault that there is not.
        """
        cast = load_cast(scripts)
        timer = Clock(clock)
        stand_in = StandIn(
            cast,
            timer,
            default_seed=default_seed,
            limits=limits,
            implicit_cache=implicit_cache,
            summary_tokens=summary_tokens,
        )
        service = Service(
            stand_in,
            [character.name for character in cast.characters],
            timer,
            Pace(first_token_s, piece_s),
            faults=faults,
            required_key=required_key,
            region=region,
            memory_least=memory_least,
            control=control,
        )
        self._server = LocalServer("The emulator", service.app, port=port)
        self._origin = ""

    @property
    def base_url(self) -> str:
        """Where the OpenAI-compatible route begins, once started."""
        return f"{self._origin}{BASE_PATH}"

    @property
    def dashscope_url(self) -> str:
        """Where the DashScope route begins, once started."""
        return f"{self._origin}{DASHSCOPE_PATH}"

    @property
    def control_url(self) -> str:
        """Where the control endpoints begin, once started."""
        return f"{self._origin}/emulator"

    def start(self) -> str:
        """Serve from now on; returns `base_url`. Raises `DeviceError` where the port is taken."""
        port = self._server.start()
        self._origin = f"http://127.0.0.1:{port}"
        counts = "exact" if ranks_file() else "estimates"
        log.warning(
            "The answers come from an emulator at 127.0.0.1:%d: scripted lines, no language model. Token counts: %s.",
            port,
            counts,
        )
        return self.base_url

    def stop(self) -> None:
        """Serve no more; open answers are cut."""
        self._server.stop()
