"""The body `page`: the toy drawn live in a browser, from the same frames that move a real one.

The page, its script and its style are in `page_files`; frames are sent as server-sent events. The server runs in a
thread of its own (`local_server`). `show` stores the newest frame and returns; a slow browser gets the newest frame,
never a backlog. While nobody watches, a frame costs almost nothing.

Security. The server listens on the loopback interface only, refuses other origins, and its address ends in a random
word, so other users of the machine cannot watch. The page shows what the body shows, not what is said.
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

from companion.body.limits import neutral_frame
from companion.config.body import ChannelSettings
from companion.config.device import Device
from companion.config.outputs import PageSettings
from companion.config.persona import Persona
from companion.events import BodyFrame
from companion.local_server import LocalServer, Receive, SameOriginOnly, Scope, Send, send_response

log = logging.getLogger("companion")

KEEP_ALIVE_S = 15.0
"""While nothing moves, a comment is sent this often, to notice a browser that went away."""
RECONNECT_MS = 500
_FILES = {
    "": ("page.html", b"text/html; charset=utf-8"),
    "toy.js": ("toy.js", b"text/javascript; charset=utf-8"),
    "toy.css": ("toy.css", b"text/css; charset=utf-8"),
}


class FrameFeed:
    """The newest frame, for any number of browsers. `show` may be called from any thread, the rest on the server's."""

    def __init__(self, channels: Mapping[str, ChannelSettings], name: str) -> None:
        parts = {key: {"kind": one.kind, "low": one.low, "high": one.high} for key, one in channels.items()}
        self.hello = json.dumps({"name": name, "channels": parts}, ensure_ascii=False)
        self._newest = BodyFrame({}, {key: one.neutral for key, one in channels.items() if one.kind != "light"})
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()

    def show(self, frame: BodyFrame) -> None:
        """Set the newest frame. Called from any thread."""
        self._newest = BodyFrame(self._newest.lights | frame.lights, self._newest.positions | frame.positions)
        loop = self._loop
        if loop is not None and not loop.is_closed() and self._waiting:
            loop.call_soon_threadsafe(self._wake_browsers)

    def newest_json(self) -> str:
        """The newest frame as JSON."""
        frame = self._newest
        positions = {name: round(value, 3) for name, value in frame.positions.items()}
        return json.dumps({"lights": frame.lights, "positions": positions})

    def subscribe(self) -> asyncio.Event:
        """An event that is set with each new frame, until `unsubscribe`. Called on the server's loop."""
        self._loop = asyncio.get_running_loop()
        event = asyncio.Event()
        event.set()
        self._waiting.add(event)
        return event

    def unsubscribe(self, event: asyncio.Event) -> None:
        self._waiting.discard(event)

    def _wake_browsers(self) -> None:
        for event in self._waiting:
            event.set()


class PageApp:
    """The ASGI application that serves the page and its frames below `/path/`."""

    def __init__(self, feed: FrameFeed, path: str) -> None:
        self._feed = feed
        self._root = f"/{path}/"
        folder = resources.files("companion.body") / "page_files"
        self._files = {name: ((folder / file).read_bytes(), kind) for name, (file, kind) in _FILES.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        name = path.removeprefix(self._root)
        if scope["type"] != "http" or not secrets.compare_digest(path[: len(self._root)].encode(), self._root.encode()):
            await send_response(send, 404, b"There is nothing here.\n")
        elif scope["method"] not in ("GET", "HEAD"):
            await send_response(send, 405, b"This page is only looked at.\n")
        elif name == "frames":
            await self._stream(receive, send)
        elif name in self._files:
            await send_response(send, 200, *self._files[name])
        else:
            await send_response(send, 404, b"There is nothing here.\n")

    async def _stream(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        changed = self._feed.subscribe()
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send_frames(changed, send))
                while (await receive())["type"] != "http.disconnect":
                    pass
                sending.cancel()
        finally:
            self._feed.unsubscribe(changed)

    async def _send_frames(self, changed: asyncio.Event, send: Send) -> None:
        text = f"retry: {RECONNECT_MS}\nevent: hello\ndata: {self._feed.hello}\n\n"
        while True:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await changed.wait()
            except TimeoutError:
                text = ": still here\n\n"
                continue
            changed.clear()
            text = f"data: {self._feed.newest_json()}\n\n"


class PageBody:
    """Shows frames to every browser that opens `url`. The first `show` (or `start`) opens the port."""

    def __init__(self, settings: PageSettings, channels: Mapping[str, ChannelSettings], name: str) -> None:
        self._settings = settings
        self._path = settings.path or secrets.token_urlsafe(16)
        self._feed = FrameFeed(channels, name)
        self._neutral = neutral_frame(channels)
        self._server = LocalServer(
            "The page of the body", SameOriginOnly(PageApp(self._feed, self._path)), port=settings.port
        )
        self.url = ""
        """The page's address; empty until the port is open."""

    def start(self) -> str:
        """Open the port and return the page's address. Raises `DeviceError` if the port is in use."""
        if not self.url:
            self.url = f"http://127.0.0.1:{self._server.start()}/{self._path}/"
            log.log(logging.DEBUG if self._settings.path else logging.INFO, "Look at the body at %s", self.url)
            if self._settings.open:
                # With some browsers this call returns only when they are closed.
                threading.Thread(target=webbrowser.open, args=(self.url,), name="browser", daemon=True).start()
        return self.url

    async def show(self, frame: BodyFrame) -> None:
        """Draw this frame. Raises `DeviceError` if the port is in use."""
        self.start()
        self._feed.show(frame)

    async def close(self) -> None:
        """Show the neutral pose and stop the server."""
        if self.url:
            self._feed.show(self._neutral)
            await asyncio.to_thread(self._server.stop)


def build(device: Device, persona: Persona) -> PageBody:
    """Build the body of `[body.page]`."""
    return PageBody(device.body.page, device.body.channels, persona.name)
