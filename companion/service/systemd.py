"""systemd integration: notifications to the service manager, and logging to the journal. Usable from any thread.

Notifications (ready, status, watchdog, stopping) use the protocol of sd_notify(3), without its library: one datagram
per message to the UNIX socket `$NOTIFY_SOCKET` (a leading `@` means an abstract one). Without that variable nothing is
sent. Sending never waits; a message that finds the socket full is dropped, which is right for the watchdog.

Logging: `$JOURNAL_STREAM` contains the device and inode of systemd's stream to the journal. Where stderr is that
stream, records go to the journal's own socket, with levels and fields, in its native protocol
(systemd.io/JOURNAL_NATIVE_PROTOCOL): `FIELD=value` lines, or, for values with line breaks, the field's name, the length
as a 64-bit little-endian number and the value. Elsewhere the log is plain lines on stderr. Sending never waits: a
journal that cannot keep up loses lines, and the next line that it accepts says how many.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from companion.plain_text import one_line, visible
from companion.terminal import terminal_on_stderr

log = logging.getLogger(__name__)

_LONGEST_STATUS = 200
_LOOK_S = 0.1


class ServiceNotifier:
    """Sends notifications to the service manager. Create it with `from_environment`."""

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        """`address` is `$NOTIFY_SOCKET`; None sends nothing. `watchdog_s`: see the attribute."""
        self.watchdog_s = watchdog_s
        """Seconds within which `alive` must be called again, else the service is killed; None: no watchdog."""
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._said = ""
        self._failed = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ServiceNotifier:
        """Create it from the variables that systemd has set for this process."""
        watched = environment.get("WATCHDOG_USEC", "")
        meant_for = environment.get("WATCHDOG_PID") or str(os.getpid())
        watchdog_s = int(watched) / 1e6 if re.fullmatch(r"[1-9][0-9]{0,17}", watched) else None
        return cls(environment.get("NOTIFY_SOCKET"), watchdog_s if meant_for == str(os.getpid()) else None)

    @property
    def is_connected(self) -> bool:
        """Whether there is a service manager."""
        return self._address is not None

    def ready(self) -> None:
        """Report that the device listens. Repeating it is harmless."""
        self._send("READY=1")

    def status(self, sentence: str) -> None:
        """Report one line for `systemctl status`. Never what people say."""
        line = " ".join(sentence.split())[:_LONGEST_STATUS]
        if line != self._said:
            self._said = line
            self._send(f"STATUS={line}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Report that the device is shutting down."""
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


async def notify_when_ready(notifier: ServiceNotifier, listening: Callable[[], bool]) -> None:
    """Wait until the device listens, and report it. Polls ten times a second, at the start only."""
    while not listening():  # noqa: ASYNC110 - sound has no event, and this takes about a second, once
        await asyncio.sleep(_LOOK_S)
    notifier.ready()


JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
_LONGEST = 32_768
"""Characters of a value; a datagram with several of them still fits into the kernel's buffer."""
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_NAME = re.compile(r"[A-Z0-9][A-Z0-9_]{0,63}")


class JournalHandler(logging.Handler):
    """Sends records to the journal. A record's `fields` (`extra={"fields": {...}}`) become fields COMPANION_..."""

    def __init__(self, path: Path = JOURNAL_SOCKET) -> None:
        super().__init__()
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        fields = {
            "MESSAGE": self.format(record),
            "PRIORITY": str(syslog_priority(record.levelno)),
            "SYSLOG_IDENTIFIER": "companion",
            "LOGGER": record.name,
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
        }
        extra = getattr(record, "fields", None)
        if isinstance(extra, Mapping):
            fields |= {f"COMPANION_{str(name).upper()}": str(value) for name, value in extra.items()}
        if self._lost:
            fields["COMPANION_LINES_LOST"] = str(self._lost)
        try:
            self._socket.sendto(encode_entry(fields), self._path)
        except OSError:
            # The journal is full, stopped, or restarting.
            self._lost += 1
        else:
            self._lost = 0

    def close(self) -> None:
        """See `logging.Handler.close`."""
        self._socket.close()
        super().close()


class OneLineFormatter(logging.Formatter):
    """Gives a message one line and nothing that controls a terminal: it may quote a service, or with consent people."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.formatMessage`."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        """See `logging.Formatter.formatException`."""
        return visible(super().formatException(ei))


def install_log_handler(environment: Mapping[str, str] = os.environ) -> None:
    """Make the root logger write to the journal where stderr goes there, else to stderr."""
    handler: logging.Handler
    if stderr_is_the_journal(environment):
        handler = JournalHandler()
        handler.setFormatter(OneLineFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler(terminal_on_stderr() or sys.stderr)
        handler.setFormatter(OneLineFormatter("%(levelname)s %(message)s"))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)


def stderr_is_the_journal(environment: Mapping[str, str], stderr: int = 2) -> bool:
    """Whether stderr is the file that `$JOURNAL_STREAM` names, and the journal's socket exists."""
    try:
        facts = os.fstat(stderr)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{facts.st_dev}:{facts.st_ino}" and JOURNAL_SOCKET.exists()


def syslog_priority(level: int) -> int:
    """The syslog priority (RFC 5424, section 6.2.1) of a level of `logging`."""
    return next((number for least, number in _PRIORITIES if level >= least), 7)


def encode_entry(fields: Mapping[str, str]) -> bytes:
    """One entry in the journal's native protocol. Names that the journal would reject are left out."""
    entry = b""
    for name, value in fields.items():
        if not _NAME.fullmatch(name):
            continue
        data = value[:_LONGEST].encode("utf-8", "replace")
        if b"\n" in data:
            entry += name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
        else:
            entry += name.encode() + b"=" + data + b"\n"
    return entry
