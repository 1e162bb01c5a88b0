"""What the client of the character service costs: CPU time a streamed token, and time until a request is on the wire.

    .venv/bin/python -m bench.protocol [--tokens 400] [--answers 10] [--requests 200]

The service is a process of its own on loopback that sends one event a token, one millisecond apart, so that no two
come in one piece. `parser` is the protocol alone; `client` is everything from the socket to the event (event loop,
httpx, protocol). The request holds a hundred messages and the largest ban list; `on the wire` is from the call of
`encode_request` to the service having the first byte, or all of them, over a connection that is already open. Every
figure is a median.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import statistics
import time
from contextlib import aclosing
from multiprocessing.connection import Connection as Pipe

from companion.mind.api.capabilities import ban_list
from companion.mind.api.connection import Connection
from companion.mind.api.parser import AnswerParser, Broken, Done, Protocol, Refused, Request, encode_request

BETWEEN_TOKENS_S = 0.001
PROTOCOLS: tuple[Protocol, ...] = ("openai", "dashscope")


def frames(protocol: Protocol, tokens: int) -> list[bytes]:
    """One event of the stream a token, as long as the service's own."""
    return [_openai(number, tokens) if protocol == "openai" else _dashscope(number, tokens) for number in range(tokens)]


def _openai(number: int, tokens: int) -> bytes:
    reason = "stop" if number == tokens - 1 else None
    chunk = {
        "choices": [{"finish_reason": reason, "logprobs": None, "delta": {"content": f" word{number}"}, "index": 0}],
        "object": "chat.completion.chunk",
        "usage": None,
        "created": 1768391649,
        "system_fingerprint": None,
        "model": "qwen-plus-character",
        "id": "chatcmpl-4bbf2f0e-0000-9000-8000-000000000000",
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def _dashscope(number: int, tokens: int) -> bytes:
    reason = "stop" if number == tokens - 1 else "null"
    message = {"content": f" word{number}", "role": "assistant"}
    usage = {"total_tokens": 130 + number, "output_tokens": number, "input_tokens": 130}
    chunk = {
        "output": {"choices": [{"message": message, "index": 0, "finish_reason": reason}]},
        "usage": {**usage, "prompt_tokens_details": {"cached_tokens": 112}},
        "request_id": "71689cfc-0000-9000-8000-000000000000",
    }
    head = f"id:{number + 1}\nevent:result\n:HTTP_STATUS/200\ndata:".encode()
    return head + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def serve(pipe: Pipe, tokens: int) -> None:
    """The service. It tells through the pipe when the first and the last byte of each request were there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                while _answer_one(connection, pipe, tokens):
                    pass


def _answer_one(connection: socket.socket, pipe: Pipe, tokens: int) -> bool:
    data = connection.recv(1)
    first = time.perf_counter_ns()
    while data and b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    if not data:
        return False
    lines = head.lower().split(b"\r\n")
    size = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    while len(body) < size:
        body += connection.recv(65_536)
    pipe.send((first, time.perf_counter_ns()))
    short = b"x-short" in head.lower()
    protocol: Protocol = "dashscope" if b"text-generation" in lines[0] else "openai"
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    for frame in frames(protocol, 1 if short else tokens):
        connection.sendall(b"%x\r\n%b\r\n" % (len(frame), frame))
        if not short:
            time.sleep(BETWEEN_TOKENS_S)
    connection.sendall(b"0\r\n\r\n")
    return True


def parser_us(protocol: Protocol, tokens: int) -> float:
    """CPU time a token of the parser alone, in microseconds."""
    parser = AnswerParser(protocol)
    told = frames(protocol, tokens)
    began = time.process_time_ns()
    for frame in told:
        parser.feed(frame)
    return (time.process_time_ns() - began) / 1000 / tokens


async def read_answer(connection: Connection, protocol: Protocol, request: Request, short: bool) -> int:
    """Ask and read to the end; returns the time of the call, in nanoseconds."""
    began = time.perf_counter_ns()
    sent = encode_request(protocol, request)
    if short:
        sent.headers["x-short"] = "1"
    async with aclosing(await connection.send(sent)) as answer:
        while not isinstance(await answer.next_event(), Done | Broken | Refused):
            pass
        await answer.drain()
    return began


async def measure(port: int, pipe: Pipe, protocol: Protocol, tokens: int, answers: int, requests: int) -> None:
    """Print this route's rows."""
    talk = [{"role": "user" if n % 2 else "assistant", "content": f"What I said in turn {n}."} for n in range(99)]
    messages = ({"role": "system", "content": "You are a bear. " * 40}, *talk)
    large = Request("qwen-plus-character", messages, max_tokens=300, logit_bias=ban_list("complete", asterisks=True))
    connection = Connection(f"http://127.0.0.1:{port}/v1", "bench", None, protocol=protocol)
    await read_answer(connection, protocol, large, short=True)
    pipe.recv()

    spent = []
    for _ in range(answers):
        before = time.process_time_ns()
        await read_answer(connection, protocol, large, short=False)
        spent.append((time.process_time_ns() - before) / 1000 / tokens)
        pipe.recv()
    first, last = [], []
    for _ in range(requests):
        began = await read_answer(connection, protocol, large, short=True)
        one, all_ = pipe.recv()
        first.append((one - began) / 1e6)
        last.append((all_ - began) / 1e6)
    await connection.close()

    alone = statistics.median(parser_us(protocol, tokens) for _ in range(answers * 3))
    size = len(encode_request(protocol, large).body)
    print(f"{protocol:10s} parser {alone:6.1f} us a token    client {statistics.median(spent):6.1f} us a token")
    row = f"first byte {statistics.median(first):5.2f} ms, all {statistics.median(last):5.2f} ms"
    print(f"{'':10s} on the wire: {row}    ({size} bytes, n {requests})")


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tokens", type=int, default=400)
    options.add_argument("--answers", type=int, default=10)
    options.add_argument("--requests", type=int, default=200)
    chosen = options.parse_args()
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    service = spawning.Process(target=serve, args=(theirs, chosen.tokens), daemon=True)
    service.start()
    port: int = ours.recv()
    for protocol in PROTOCOLS:
        asyncio.run(measure(port, ours, protocol, chosen.tokens, chosen.answers, chosen.requests))
    service.terminate()
    service.join()


if __name__ == "__main__":
    main()
