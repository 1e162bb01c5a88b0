"""A real Chromium, driven over its debugging pipe: no library, no port."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

PATIENCE_S = 30.0
PHONE = (390, 844, 2.0, True)
DESKTOP = (1280, 900, 1.0, False)


def why_not() -> str | None:
    """Why there is none; None where there is."""
    return None if shutil.which("chromium") else "there is no chromium here"


class Chromium:
    """One browser with one tab. It takes the unit's certificate, as a parent does who has compared fingerprints."""

    def __init__(self, folder: Path, size: tuple[int, int, float, bool] = PHONE, *, dark: bool = False) -> None:
        self._folder, self._size, self._dark = folder, size, dark
        self._number = 0
        self._rest = b""
        self._events: list[str] = []

    def __enter__(self) -> Chromium:
        to_it, self._write = os.pipe()
        self._read, from_it = os.pipe()
        # The browser wants descriptors 3 and 4.
        script = f'exec chromium "$@" 3<&{to_it} 4>&{from_it}'
        flags = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--ignore-certificate-errors",
                 "--disable-gpu", "--no-first-run", "--hide-scrollbars", f"--user-data-dir={self._folder}",
                 "--lang=en-GB", "--disable-dev-shm-usage"]  # fmt: skip
        self._process = subprocess.Popen(
            ["bash", "-c", script, "chromium", *flags, "about:blank"], pass_fds=(to_it, from_it),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(self._folder)},
        )  # fmt: skip
        os.close(to_it)
        os.close(from_it)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        width, height, scale, phone = self._size
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=phone)  # fmt: skip
        scheme = "dark" if self._dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol to the tab."""
        return self._call(method, self._session, **parameters)

    def go(self, address: str) -> None:
        """Load a page, and wait until it and what follows it by itself are there."""
        self._events.clear()
        self.call("Page.navigate", url=address)
        self._until("Page.loadEventFired")

    def follow(self, address: str, until: str) -> None:
        """Load a page that leads on by itself, until this script is true."""
        self._events.clear()
        self.call("Page.navigate", url=address)
        while True:
            self._until("Page.loadEventFired")
            self._events.clear()
            with suppress(LookupError):  # it is leading on at this very moment
                if self.call("Runtime.evaluate", expression=until)["result"].get("value"):
                    return

    def run(self, script: str, *, loads: bool = False) -> Any:
        """What a script returns; with `loads` it leads to another page, which is waited for."""
        self._events.clear()
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        if loads:
            self._until("Page.loadEventFired")
        return done["result"].get("value")

    def send_form(self, action: str, **fields: str) -> None:
        """Fill a form in and send it, as a person does with its button."""
        fill = "".join(
            f"form.elements[{json.dumps(key)}].value = {json.dumps(value)};" for key, value in fields.items()
        )
        self.run(f"""(() => {{ const form = document.querySelector('form[action="{action}"]'); {fill}
            form.querySelector('button').click(); }})()""", loads=True)  # fmt: skip

    def key(self, key: str) -> None:
        """Press one key."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      **(text if kind == "keyDown" else {}))  # fmt: skip

    def picture(self, file: Path) -> None:
        """A picture of the whole page, PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": self._size[0], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        file.write_bytes(base64.b64decode(data))

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        request = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            request["sessionId"] = session
        os.write(self._write, json.dumps(request).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                if "error" in message:
                    raise LookupError(message)
                result: dict[str, Any] = message["result"]
                return result
            self._events.append(message.get("method", ""))

    def _until(self, event: str) -> None:
        while event not in self._events:
            self._events.append(self._next().get("method", ""))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], PATIENCE_S)
            assert ready, "the browser says nothing"
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message
