"""What a long talk costs: the share of cached prompt tokens, and the money, beside two plainer ways to send a history.

    python -m bench.cache_share [--turns 200] [--history 100]

The real client talks with the emulator (exact tokens, 16-token cache blocks of prompts only), with its memory, its
summaries and its context. The same talk is then sent again as a window that slides by one message, and whole. Prices
are those of the model's data file; what the service's cache really does is not measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from companion.config.device import Device
from companion.config.persona import Persona
from companion.config.unit import load_unit
from companion.emulator import EmulatorServer
from companion.emulator.tokens import vocabulary_file
from companion.errors import CharacterRefused
from companion.mind.api import models
from companion.mind.assembly import build
from companion.mind.character import ServiceCharacter

PROJECT = Path(__file__).resolve().parent.parent
PAUSE_S = 0.15
SAID = (
    *("hello momo", "tell me a story", "what happens next", "sing a song", "i had noodles for lunch", "are you sleepy"),
    *("do you like dogs or cats", "my friend has a new bike", "why is the sky blue", "tell me a joke", "another one"),
    *("i am a little sad today", "can you dance", "what is your favorite color", "we went to the park", "look at this"),
    *("how old are you", "count to ten", "i built a tower and it fell down", "what do bears eat", "guess what i have"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """A talk's tokens."""

    requests: int
    prompt: int
    cached: int
    output: int

    @property
    def share(self) -> float:
        """The cached part of the prompt tokens."""
        return self.cached / self.prompt

    def money(self, model: models.Model) -> Decimal:
        """In the model's currency."""
        assert model.price_in is not None
        assert model.price_out is not None
        prompt = self.prompt - self.cached + self.cached * model.cached_share
        return (prompt * model.price_in + self.output * model.price_out) / 1_000_000


def cost(usages: Iterable[Any]) -> Cost:
    """The sum of OpenAI-shaped usages."""
    each = [usage for usage in usages if usage]
    return Cost(
        len(each),
        sum(usage["prompt_tokens"] for usage in each),
        sum(usage["prompt_tokens_details"]["cached_tokens"] for usage in each),
        sum(usage["completion_tokens"] for usage in each),
    )


async def product(device: Device, persona: Persona, url: str, turns: int) -> list[tuple[str, str]]:
    """Hold the talk with the real client; returns what was said and answered."""
    rng = random.Random(1)
    talk = []
    character = await build(device, persona, url, None)
    async with asyncio.TaskGroup() as group:
        beside = group.create_task(character.run())
        for number in range(turns):
            said = f"{rng.choice(SAID)} {number}"
            heard = await answer(character, said)
            character.remember(said, heard)
            # Summaries are made while nobody talks.
            await asyncio.sleep(PAUSE_S)
            talk.append((said, heard))
        beside.cancel()
    await character.close()
    return talk


async def answer(character: ServiceCharacter, said: str) -> str:
    """The whole answer, once the account's tokens for this minute allow it: nobody talks this fast."""
    while True:
        try:
            async with aclosing(character.reply(said)) as deltas:
                return "".join([delta async for delta in deltas])
        except CharacterRefused as refused:
            if refused.reason != "paced":
                raise
        await asyncio.sleep(5)


def plainly(url: str, persona: Persona, talk: Sequence[tuple[str, str]], longest: int | None) -> list[Any]:
    """Send the same talk with the last `longest` messages, or all of them; returns the usages."""
    usages = []
    past: list[dict[str, str]] = [{"role": "assistant", "content": persona.opening}]
    with httpx.Client(headers={"x-dashscope-aca-session": f"plain-{longest}"}, trust_env=False) as client:
        for said, heard in talk:
            past.append({"role": "user", "content": said})
            window = past if longest is None else past[-longest:]
            messages = [{"role": "system", "content": persona.system_message()}, *window]
            answer = client.post(f"{url}/chat/completions", json={"model": "qwen-plus-character", "messages": messages})
            usages.append(answer.json()["usage"])
            past.append({"role": "assistant", "content": heard})
    return usages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--history", type=int, default=100)
    options = parser.parse_args()
    if vocabulary_file() is None:
        raise SystemExit("The model's vocabulary is not installed: pip install -e '.[dev]'")
    with tempfile.TemporaryDirectory() as folder:
        device, persona = load_unit(
            PROJECT / "configs" / "devices" / "desk.toml",
            (
                f"memory.folder={folder}",
                "memory.mode=local",
                "identity=bench",
                "character.requests_per_second=1000",
                "character.answer_within_s=60",
                f"character.history={options.history}",
            ),
        )
        server = EmulatorServer(first_token_s=0, piece_s=0)
        url = server.start()
        try:
            talk = asyncio.run(product(device, persona, url, options.turns))
            asked = httpx.get(f"{server.control_url}/requests", trust_env=False).json()["requests"]
            ways = {
                "as the product sends it": cost(one["usage"] for one in asked),
                "a window that slides by one message": cost(plainly(url, persona, talk, options.history)),
                "everything, always": cost(plainly(url, persona, talk, None)),
            }
        finally:
            server.stop()
    model = models.find("qwen-plus-character", "international")
    print(f"{options.turns} turns, history {options.history}, {model.name}, {model.currency}")
    for name, way in ways.items():
        print(
            f"{name:36} {way.requests:4} requests  {way.prompt:9,} prompt  {way.cached:9,} cached ({way.share:6.1%})"
            f"  {way.output:6,} output  {way.money(model):.4f}"
        )


if __name__ == "__main__":
    main()
