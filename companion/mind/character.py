"""The character: asks the service, streams the answer, and gives up in time.

Satisfies `companion.ports.Character`; everything runs on the event loop's thread. Seconds are the loop's. From `reply`
to the first words it takes at most `answer_within_s`, one retry included; after the first words nothing is retried,
because they may have been heard. Closing the generator, or cancelling whoever waits in it, closes the stream, so that
the model stops.

A request that the service finds too much (ban list, length) is made smaller and sent again, and stays smaller.
Errors name the service's host and code; never the key, never what was said.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from companion.config import Device
from companion.errors import CharacterError, CharacterRefused
from companion.mind.chat_protocol import Broken, Delta, Done, Refused, Usage, request_body
from companion.mind.connection import WARM_S, Answer, Connection
from companion.mind.key import Key
from companion.mind.logit_bias import Tier, bias, smaller
from companion.mind.refusals import is_moderation, sentence, worth_retrying
from companion.mind.session import History, device_identity, session_id
from companion.mind_settings import CharacterSettings
from companion.persona import Persona

log = logging.getLogger("companion")


def build(device: Device, persona: Persona, base_url: str, key: Key | None) -> ServiceCharacter:
    """The character behind `base_url` (`device.character.base_url`, or that of the emulator).

    Raises `ConfigError` where the address, or a proxy named in the environment, cannot be used.
    """
    session = session_id(device_identity(device), persona.name)
    return ServiceCharacter(device.character, persona, Connection(base_url, session, key))


class ServiceCharacter:
    """One character in one session."""

    def __init__(self, settings: CharacterSettings, persona: Persona, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._service = connection.service
        self._history = History(persona.system_message(), persona.opening, settings.history)
        self._ban_asterisks = persona.cues.channel == "emoji"
        wants_directions = persona.cues.channel == "directions"
        self._ban(None if wants_directions or settings.ban_brackets == "off" else settings.ban_brackets)
        self._moderated: str | None = None
        """What was said last, if moderation refused it."""
        self._used = float("-inf")
        """When the connection was last used."""

    async def prepare(self) -> None:
        """Open the connection, if it was not used lately. Never raises."""
        now = asyncio.get_running_loop().time()
        if now - self._used >= WARM_S:
            self._used = now
            await self._connection.warm()

    async def reply(self, said: str) -> AsyncGenerator[str]:
        """Answer, as text deltas. Raises `CharacterError`, or `CharacterRefused` where trying again has no use."""
        answer, text = await self._open(said)
        self._moderated = None
        async with aclosing(answer):
            yield text
            while True:
                try:
                    async with asyncio.timeout(self._settings.stall_s):
                        more = await self._next_text(answer, None)
                except TimeoutError as error:
                    raise CharacterError(f"{self._service} stopped in the middle of its answer.") from error
                if more is None:
                    break
                yield more
            await answer.drain()
            self._used = asyncio.get_running_loop().time()

    def remember(self, said: str, heard: str) -> None:
        """Keep one exchange. What moderation refused is not kept: it would have every later request refused too."""
        if heard.strip() or said != self._moderated:
            self._history.add(said, heard)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def _open(self, said: str) -> tuple[Answer, str]:
        """Ask until the first words are there."""
        retried = False
        try:
            async with asyncio.timeout(self._settings.answer_within_s):
                while True:
                    try:
                        return await self._ask(said)
                    except _AskAgain:
                        continue
                    except CharacterRefused:
                        raise
                    except CharacterError as error:
                        if retried:
                            raise
                        retried = True
                        if isinstance(error, _Busy):
                            # Units that were refused together must not come back together.
                            await asyncio.sleep(random.uniform(0.2, 0.5))
        except TimeoutError as error:
            limit = self._settings.answer_within_s
            raise CharacterError(f"{self._service} did not answer within {limit:g} s.") from error

    async def _ask(self, said: str) -> tuple[Answer, str]:
        """One request: the open answer and its first words."""
        self._used = asyncio.get_running_loop().time()
        body = request_body(
            self._settings.model,
            self._history.messages(said),
            logit_bias=self._bias,
            max_tokens=self._settings.max_tokens,
            temperature=self._settings.temperature,
        )
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        async with AsyncExitStack() as stack:
            answer = await stack.enter_async_context(aclosing(await self._connection.ask(encoded)))
            if answer.status != 200:
                raise self._refusal(answer.status, await answer.refusal(), said)
            text = await self._next_text(answer, said)
            if text is None:
                raise CharacterError(f"{self._service} answered with nothing.")
            stack.pop_all()
        return answer, text

    async def _next_text(self, answer: Answer, said: str | None) -> str | None:
        """The next piece of the answer; None at its end. `said` as in `_refusal`."""
        while True:
            match await answer.next_event():
                case Delta(index=0, text=text):
                    return text
                case Usage() as usage:
                    log.debug("Tokens: %d + %d, %d cached", usage.prompt, usage.completion, usage.cached)
                case Refused() as refused:
                    raise self._refusal(200, refused, said)
                case Broken(why):
                    raise CharacterError(f"{self._service} sent something that is no answer: {why}.")
                case Done():
                    return None

    def _refusal(self, status: int, refused: Refused, said: str | None) -> CharacterError:
        """The error for a refusal; `said` is given while nothing of the answer has come, and what can be changed is."""
        if 300 <= status < 400:
            return CharacterError(f"{self._service} sent us elsewhere: check character.base_url and the network.")
        if worth_retrying(status, refused.code):
            return _Busy(f"{self._service} is too busy or has a fault of its own ({refused.code}).")
        if said is not None and self._made_smaller(status, refused.message):
            return _AskAgain(f"{self._service} refuses requests of this size.")
        if said is not None and is_moderation(refused.code):
            if self._moderated is not None:
                # Twice in a row: what is refused must stand in the history.
                self._history.clear()
            self._moderated = said
        return CharacterRefused(f"{self._service} {sentence(status, refused)}", refused.code)

    def _ban(self, tier: Tier | None) -> None:
        """Use this ban list from now on."""
        self._tier = tier
        self._bias = bias(tier, asterisks=self._ban_asterisks) if tier else None

    def _made_smaller(self, status: int, message: str) -> bool:
        """Whether the request can be sent again with less in it, after a refusal that asks for that."""
        if self._tier is not None and ("logit_bias" in message or status == 413):
            log.warning("%s refuses the ban list `%s`; a smaller one is used from now on.", self._service, self._tier)
            self._ban(smaller(self._tier))
            return True
        return "Range of input length" in message and self._history.shorten()


class _AskAgain(CharacterError):
    """The request was made smaller; it does not count as a retry."""


class _Busy(CharacterError):
    """Worth trying again, but not at once."""
