"""A body on a page: the toy drawn in a browser, live, from the same frames that move a real one.

The page, its script and its style are files beside this one; frames travel as server-sent events. The server has a
thread of its own (`local_server`): `show` leaves the newest frame there and returns, and a browser that is slow is told
the newest frame, never a backlog. Without anybody looking a frame costs nothing but its hand-over.

Safety. Loopback only, other origins are kept out, and the address ends in a random word, so that other users of the
machine cannot look. What is said is not on the page: it shows what the body shows.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import webbrowser
from collections.abc import Mapping
from importlib import resources

from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.outputs import PageSettings
from companion.config.persona import Persona
from companion.events import BodyFrame
from companion.local_server import Guarded, LocalServer, Receive, Scope, Send, respond

log = logging.getLogger("companion")

KEPT_ALIVE_S = 15.0
"""So often something is sent where nothing moves, so that a browser that went away is noticed."""
RECONNECT_MS = 500
_FILES = {
    "": ("page.html", b"text/html; charset=utf-8"),
    "toy.js": ("toy.js", b"text/javascript; charset=utf-8"),
    "toy.css": ("toy.css", b"text/css; charset=utf-8"),
}


class Frames:
    """The newest frame, for any number of browsers. `show` comes from another thread than the rest."""

    def __init__(self, channels: Mapping[str, ChannelSettings], name: str) -> None:
        parts = {key: {"kind": one.kind, "low": one.low, "high": one.high} for key, one in channels.items()}
        self.hello = json.dumps({"name": name, "channels": parts}, ensure_ascii=False)
        self._newest = BodyFrame({}, {key: one.neutral for key, one in channels.items() if one.kind != "light"})
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()

    def show(self, frame: BodyFrame) -> None:
        """Take the newest frame; any thread."""
        self._newest = BodyFrame(self._newest.lights | frame.lights, self._newest.positions | frame.positions)
        loop = self._loop
        if loop is not None and not loop.is_closed() and self._waiting:
            loop.call_soon_threadsafe(self._wake)

    def newest(self) -> str:
        """The newest frame as JSON."""
        frame = self._newest
        positions = {name: round(value, 3) for name, value in frame.positions.items()}
        return json.dumps({"lights": frame.lights, "positions": positions})

    def watch(self) -> asyncio.Event:
        """An event that is set with each frame from now on, until `leave`; on the server's loop."""
        self._loop = asyncio.get_running_loop()
        event = asyncio.Event()
        event.set()
        self._waiting.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        self._waiting.discard(event)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()


class Page:
    """The ASGI application below `/path/`."""

    def __init__(self, frames: Frames, path: str) -> None:
        self._frames = frames
        self._root = f"/{path}/"
        folder = resources.files("companion.body") / "page_files"
        self._files = {name: ((folder / file).read_bytes(), kind) for name, (file, kind) in _FILES.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        name = path.removeprefix(self._root)
        if scope["type"] != "http" or not secrets.compare_digest(path[: len(self._root)].encode(), self._root.encode()):
            await respond(send, 404, b"There is nothing here.\n")
        elif scope["method"] not in ("GET", "HEAD"):
            await respond(send, 405, b"This page is only looked at.\n")
        elif name == "frames":
            await self._stream(receive, send)
        elif name in self._files:
            await respond(send, 200, *self._files[name])
        else:
            await respond(send, 404, b"There is nothing here.\n")

    async def _stream(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        moved = self._frames.watch()
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send_frames(moved, send))
                while (await receive())["type"] != "http.disconnect":
                    pass
                sending.cancel()
        finally:
            self._frames.leave(moved)

    async def _send_frames(self, moved: asyncio.Event, send: Send) -> None:
        text = f"retry: {RECONNECT_MS}\nevent: hello\ndata: {self._frames.hello}\n\n"
        while True:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            try:
                async with asyncio.timeout(KEPT_ALIVE_S):
                    await moved.wait()
            except TimeoutError:
                text = ": still here\n\n"
                continue
            moved.clear()
            text = f"data: {self._frames.newest()}\n\n"


class PageBody:
    """Shows frames to whoever looks at `url`. The first `show` (or `start`) opens the port."""

    def __init__(self, settings: PageSettings, channels: Mapping[str, ChannelSettings], name: str) -> None:
        self._settings = settings
        self._path = settings.path or secrets.token_urlsafe(16)
        self._frames = Frames(channels, name)
        self._neutral = BodyFrame(
            {key: (0, 0, 0) for key, one in channels.items() if one.kind == "light"},
            {key: one.neutral for key, one in channels.items() if one.kind != "light"},
        )
        self._server = LocalServer("The page of the body", Guarded(Page(self._frames, self._path)), port=settings.port)
        self.url = ""
        """Where the page is; empty until it has been started."""

    def start(self) -> str:
        """Open the port; returns the page's address. Raises `DeviceError` where the port is taken."""
        if not self.url:
            self.url = f"http://127.0.0.1:{self._server.start()}/{self._path}/"
            log.log(logging.DEBUG if self._settings.path else logging.INFO, "Look at the body at %s", self.url)
            if self._settings.open:
                # Some browsers come back only when they are closed.
                threading.Thread(target=webbrowser.open, args=(self.url,), name="browser", daemon=True).start()
        return self.url

    async def show(self, frame: BodyFrame) -> None:
        """Draw this. Raises `DeviceError` where the port is taken."""
        self.start()
        self._frames.show(frame)

    async def close(self) -> None:
        """Leave a neutral picture, and serve no more."""
        if self.url:
            self._frames.show(self._neutral)
            await asyncio.to_thread(self._server.stop)


def build(device: Device, persona: Persona) -> PageBody:
    """The page of `[body.page]`."""
    return PageBody(device.body.page, device.body.channels, persona.name)
