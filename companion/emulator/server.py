"""The emulator as a server on the loopback interface.

It represents a remote machine, so it has its own daemon thread with its own loop (see `companion.local_server`), and
the device's loop cannot slow it down. `start` and `stop` are called from any other thread; both block for well below
half a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from companion.emulator.control import Clock
from companion.emulator.limits import Limits, Region
from companion.emulator.routes import BASE_PATH, DASHSCOPE_PATH, EmulatorApp, Pace
from companion.emulator.script import CHARACTERS, load_cast
from companion.emulator.scripted_service import ScriptedService
from companion.emulator.tokens import vocabulary_file
from companion.local_server import LocalServer

log = logging.getLogger("companion")


class EmulatorServer:
    """The emulator on a port of its own. `start` it once, `stop` it once."""

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
        min_memory_entries: int = 20,
        summary_tokens: int = 1_000,
        implicit_cache_minimum: int | None = None,
        control: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`port` 0 takes a free one. `faults` (names in `faults.FAULTS`) are applied to the chat requests in turn;
        `itertools.repeat("stall")` applies one to all. `required_key` is the only accepted key, where given.

        `scripts` is a folder of characters. `limits` None admits every request. `default_seed` is used for a request
        without a seed (the service documents 1234). `min_memory_entries` is the smallest accepted `memory_entries`.
        `implicit_cache_minimum` is the smallest cache hit of requests without a session; None: they have no cache.
        `control` serves `/emulator/...`, where any program on this machine can read the latest requests. `clock`
        returns seconds since 1970.

        Raises `ConfigError` for a script that cannot be used, `ValueError` for an unknown fault.
        """
        cast = load_cast(scripts)
        timer = Clock(clock)
        service = ScriptedService(
            cast,
            timer,
            default_seed=default_seed,
            limits=limits,
            implicit_cache_minimum=implicit_cache_minimum,
            summary_tokens=summary_tokens,
        )
        routes = EmulatorApp(
            service,
            [character.name for character in cast.characters],
            timer,
            Pace(first_token_s, piece_s),
            faults=faults,
            required_key=required_key,
            region=region,
            min_memory_entries=min_memory_entries,
            control=control,
        )
        self._server = LocalServer("The emulator", routes.app, port=port)
        self._origin = ""

    @property
    def base_url(self) -> str:
        """The base URL of the OpenAI-compatible route, once started."""
        return f"{self._origin}{BASE_PATH}"

    @property
    def dashscope_url(self) -> str:
        """The base URL of the DashScope route, once started."""
        return f"{self._origin}{DASHSCOPE_PATH}"

    @property
    def control_url(self) -> str:
        """The base URL of the control endpoints, once started."""
        return f"{self._origin}/emulator"

    def start(self) -> str:
        """Start serving and return `base_url`. Raises `DeviceError` where the port is taken."""
        port = self._server.start()
        self._origin = f"http://127.0.0.1:{port}"
        counts = "exact" if vocabulary_file() else "estimates"
        log.warning(
            "The answers come from an emulator at 127.0.0.1:%d: scripted lines, no language model. Token counts: %s.",
            port,
            counts,
        )
        return self.base_url

    def stop(self) -> None:
        """Stop serving; open responses are cut off."""
        self._server.stop()
