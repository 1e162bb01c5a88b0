"""The emulated service without HTTP: the answers to a checked request, their usage, and what it remembers.

No loop in here either. The clock is passed in and returns seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from companion.emulator.answer import Answer, Usage, make_answer
from companion.emulator.errors import invalid
from companion.emulator.limits import Limits, RateLimits
from companion.emulator.memory import LongTermMemory, PromptCache
from companion.emulator.request import ChatRequest, MemoryOptions, Parameters
from companion.emulator.script import Cast
from companion.emulator.tokens import Tokenizer, prompt_tokens

SESSION_HEADER = "x-dashscope-aca-session"

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    account: str
    session: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answers to a request."""

    answers: tuple[Answer, ...]
    usage: Usage


class ScriptedService:
    """The emulated service. To be used from one thread."""

    def __init__(
        self,
        cast: Cast,
        clock: Clock,
        *,
        default_seed: int = 0,
        limits: Limits | None = None,
        implicit_cache_minimum: int | None = None,
        summary_tokens: int = 1_000,
    ) -> None:
        """See `EmulatorServer`."""
        self._cast = cast
        self._clock = clock
        self._default_seed = default_seed
        self._summary_tokens = summary_tokens
        self._memory: LongTermMemory | None = None
        self._cache = PromptCache(implicit_cache_minimum)
        self._limits = RateLimits(limits)

    def admit(self, request: ChatRequest) -> None:
        """Count the request. Raises `Refusal` where it exceeds the account's rate limits."""
        if (refusal := self._limits.admit(request.model.name, self._clock())) is not None:
            raise refusal

    def reply(self, request: ChatRequest, caller: Caller, tokens: Tokenizer, fault: str = "none") -> Reply:
        """Answer a request. The faults `empty`, `giant` and `byte_detours` are applied here. Raises `Refusal`."""
        messages, details = request.messages, {}
        options = request.memory
        session = _require_session(caller, options)
        memory = self._memory_for(tokens)
        if options is not None:
            recalled = memory.recall(caller.account, session, options, request.messages, self._clock())
            messages, details = recalled.messages, dict(recalled.details)
        prompt = prompt_tokens(tokens, messages)
        if len(prompt) > request.model.max_input:
            raise invalid(f"Range of input length should be [1, {request.model.max_input}]")
        cached = self._cache.count_hits(caller.account, request.model.name, caller.session, prompt)
        seed = self._default_seed if request.parameters.seed is None else request.parameters.seed
        answers = tuple(
            self._answer(self._cast.answer(messages, seed + index), request.parameters, tokens, fault)
            for index in range(request.parameters.n)
        )
        if options is not None:
            prefix = request.messages[-1].content if request.messages[-1].partial else ""
            memory.store_answer(caller.account, session, options, prefix + answers[0].text)
        spent = len(prompt) + sum(answer.tokens for answer in answers)
        self._limits.count_tokens(request.model.name, spent, self._clock())
        return Reply(answers, Usage(len(prompt), cached, details))

    def clear(self) -> None:
        """Forget all sessions, caches and counted requests."""
        self._memory = None
        self._cache.clear()
        self._limits.clear()

    def _answer(self, text: str, asked: Parameters, tokens: Tokenizer, fault: str) -> Answer:
        return make_answer(
            tokens,
            "" if fault == "empty" else text,
            asked,
            endless=fault == "giant",
            splits=fault == "byte_detours",
        )

    def _memory_for(self, tokens: Tokenizer) -> LongTermMemory:
        if self._memory is None:
            self._memory = LongTermMemory(lambda text: len(tokens.encode(text)), self._summary_tokens)
        return self._memory


def _require_session(caller: Caller, options: MemoryOptions | None) -> str:
    """The session, which long-term memory requires. No source documents the wording of this refusal."""
    if caller.session:
        return caller.session
    if options is not None:
        raise invalid(f"Header {SESSION_HEADER} is required when long term memory is enabled")
    return ""
