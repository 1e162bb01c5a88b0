"""What systemd is told: ready, the state in words, alive, stopping. The protocol of sd_notify(3), without its library.

One datagram a message to the UNIX socket named by `$NOTIFY_SOCKET` (a leading `@` is an abstract one). Without that
variable nothing is told to anybody. Sending never waits: systemd reads at once, and a message that finds the socket
full is dropped, which for `alive` is the right thing. On the loop or in any thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

_LONGEST_STATUS = 200
_LOOK_S = 0.1


class ServiceNotifier:
    """Tells the service manager. Make one with `from_environment`."""

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        """`address` is `$NOTIFY_SOCKET`; None where nobody listens. `watchdog_s`: see the property."""
        self.watchdog_s = watchdog_s
        """Seconds within which `alive` must be told again and again, or the service is killed; None: not watched."""
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._said = ""
        self._failed = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ServiceNotifier:
        """As systemd has set it up for this process."""
        watched = environment.get("WATCHDOG_USEC", "")
        meant_for = environment.get("WATCHDOG_PID") or str(os.getpid())
        watchdog_s = int(watched) / 1e6 if re.fullmatch(r"[1-9][0-9]{0,17}", watched) else None
        return cls(environment.get("NOTIFY_SOCKET"), watchdog_s if meant_for == str(os.getpid()) else None)

    @property
    def heard(self) -> bool:
        """Whether there is somebody to tell."""
        return self._address is not None

    def ready(self) -> None:
        """The device listens. Telling it again is harmless."""
        self._send("READY=1")

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`. Never what people say."""
        line = " ".join(sentence.split())[:_LONGEST_STATUS]
        if line != self._said:
            self._said = line
            self._send(f"STATUS={line}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The device was asked to end and is doing so."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
                manager.setblocking(False)
                manager.sendto(message.encode(), self._address)
        except OSError as error:
            if not self._failed:
                log.warning("systemd cannot be told: %s", error.strerror or error)
            self._failed = True
        else:
            self._failed = False


async def tell_when_ready(notifier: ServiceNotifier, listening: Callable[[], bool]) -> None:
    """Return once the device listens and the manager knows. Looks ten times a second, at the start only."""
    while not listening():  # noqa: ASYNC110 - sound has no event, and this lasts a second in the life of a device
        await asyncio.sleep(_LOOK_S)
    notifier.ready()
