"""A server of model files on loopback, honest or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any


@dataclass
class ModelServer:
    """What it does is set by the test; `asked` holds the headers of every request."""

    files: dict[str, bytes]
    fault: str = ""
    fail_once: str = ""
    etag: str = '"one"'
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""
    elsewhere: str = ""
    gate: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, tls: SSLContext | None = None) -> Iterator[ModelServer]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                owner.answer(self)

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that leaves is what some tests are about."""

        server = Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.address = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.gate.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(dict(request.headers))
        request.close_connection = True
        fault, self.fail_once = self.fail_once or self.fault, ""
        name = request.path.rpartition("/")[2]
        if fault.isdigit():
            request.send_error(int(fault))
            return
        if fault in ("loop", "ftp", "downgrade"):
            target = {"loop": request.path, "ftp": "ftp://127.0.0.1/x", "downgrade": f"{self.elsewhere}/{name}"}[fault]
            request.send_response(302)
            request.send_header("Location", target)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        if name not in self.files:
            request.send_error(404)
            return
        self._send(request, self.files[name], fault)

    def _send(self, request: BaseHTTPRequestHandler, data: bytes, fault: str) -> None:
        start = 0
        wanted = request.headers.get("Range")
        known = request.headers.get("If-Range")
        if wanted and fault != "no range" and known in (None, self.etag):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                request.send_error(416)
                return
            request.send_response(206)
            told = start + 7 if fault == "other range" else start
            if fault != "silent range":
                request.send_header("Content-Range", f"bytes {told}-{len(data) - 1}/{len(data)}")
        else:
            request.send_response(200)
        body = data[start:]
        if self.etag:
            request.send_header("ETag", self.etag)
        if fault == "endless":
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            for _ in range(40):
                request.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")
            return
        if fault == "broken chunks":
            request.send_header("Transfer-Encoding", "chunked")
            request.end_headers()
            request.wfile.write(b"%x\r\n" % len(data) + data[: len(data) // 2])
            return
        length = {"claims more": len(body) + 1000, "claims less": len(body) - 10}.get(fault, len(body))
        request.send_header("Content-Length", str(length))
        request.end_headers()
        if fault in ("breaks off", "stalls", "trickles"):
            request.wfile.write(body[: len(body) // 2])
            request.wfile.flush()
            if fault == "stalls":
                self.gate.wait(5)
            for at in range(200 if fault == "trickles" else 0):
                request.wfile.write(body[len(body) // 2 + at : len(body) // 2 + at + 1])
                request.wfile.flush()
                if self.gate.wait(0.005):
                    return
            return
        request.wfile.write(body if fault != "wrong bytes" else bytes(len(body)))
