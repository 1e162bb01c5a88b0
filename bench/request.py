"""How long it takes from `reply` being called to the request being there, and what a streamed token costs.

    .venv/bin/python -m bench.request [--turns 200] [--exchanges 2000] [--tokens 20000]

The service is a process of its own on loopback, which answers with the time (CLOCK_MONOTONIC, the same for all
processes) at which the whole request had arrived. The memory holds `--exchanges` exchanges with one person, so that
every turn looks for what matters among them. Measured with the built-in clock as the only context provider.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from contextlib import aclosing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from companion.config.device import Device
from companion.config.persona import load_persona
from companion.mind.assembly import build
from companion.mind.character import ServiceCharacter
from companion.mind.memory.long_term import LongTermMemory
from companion.mind.memory.store import Store, local_now

PROJECT = Path(__file__).resolve().parent.parent
WORDS = """
bear honey garden dog rex school bus apple river moon story dragon blue key flower pot sister brother rain boat kite
castle horse cake song dance night morning forest stone window
"""


def serve(pipe: Pipe, tokens: int) -> None:
    """The service's process: tells its port, then answers until it is ended."""
    asyncio.run(_serve(pipe, tokens))


async def _serve(pipe: Pipe, tokens: int) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = next((int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
                body = await reader.readexactly(length)
                arrived = time.monotonic()
                many = b"count to the end" in body
                texts = [f"{arrived}", *(["token "] * tokens if many else [])]
                answer = b"".join(map(_event, texts)) + _event("", "stop") + b"data: [DONE]\n\n"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _event(text: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice], "object": "chat.completion.chunk"}).encode() + b"\n\n"


async def measure(url: str, folder: Path, turns: int, exchanges: int) -> None:
    chance = random.Random(7)
    persona = load_persona(PROJECT / "configs" / "personas" / "teddy.toml")
    device = Device.model_validate(
        {
            "persona": "p.toml",
            "identity": "bench",
            "character": {"requests_per_second": 1000, "answer_within_s": 60},
            "memory": {"folder": folder},
        }
    )
    await fill(folder, exchanges, chance)
    character = await build(device, persona, url, None)
    await character.switch_person("Ana")
    waits = [await one_turn(character, sentence(chance)) for _ in range(turns)]
    waits.sort()
    print(f"from reply() to the whole request at the service, {exchanges} exchanges in the memory, {turns} turns:")
    print(f"  median {statistics.median(waits):.2f} ms, p90 {waits[int(turns * 0.9)]:.2f} ms, most {waits[-1]:.2f} ms")
    began = time.process_time()
    count = 0
    async with aclosing(character.reply("count to the end")) as deltas:
        async for _ in deltas:
            count += 1
    spent = (time.process_time() - began) * 1e6 / count
    print(f"CPU per streamed token through the character: {spent:.1f} us ({count} tokens)")
    await character.close()


async def one_turn(character: ServiceCharacter, said: str) -> float:
    """Milliseconds from the call to the request's arrival."""
    # Between two turns the answer is spoken: what was said last has long been written.
    await character.working_memory.refresh()
    began = time.monotonic()
    async with aclosing(character.reply(said)) as deltas:
        arrived = float("".join([delta async for delta in deltas]))
    character.remember(said, "That is a fine thing to tell a bear.")
    return (arrived - began) * 1000


async def fill(folder: Path, exchanges: int, chance: random.Random) -> None:
    store = await Store.open(folder, local_now)
    memory = LongTermMemory(store, "Momo", local_now)
    for number in range(exchanges):
        memory.keep("Ana", sentence(chance), "I see.")
        if number % 500 == 499:
            await store.flush()
    await store.close()


def sentence(chance: random.Random) -> str:
    """Something that a child may tell."""
    words = WORDS.split()
    return f"my {chance.choice(words)} and the {chance.choice(words)} like the {chance.choice(words)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--exchanges", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=20_000)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    service = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, options.tokens), daemon=True)
    service.start()
    url = f"http://127.0.0.1:{ours.recv()}/v1"
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(url, Path(folder), options.turns, options.exchanges))
    finally:
        service.terminate()
        service.join()


if __name__ == "__main__":
    main()
