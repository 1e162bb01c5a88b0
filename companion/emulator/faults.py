"""What can go wrong between a device and the service, on purpose.

Each chat request suffers the fault that its header `x-emulator-fault` names, else the server's next one. Beside the
names below there are three for every code of the service's error catalogue (of either route): `http:CODE` answers with
that error, `framed:CODE` with it framed as a stream under `text/event-stream`, `midway:CODE` breaks the stream off
with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle

from companion.emulator.errors import MODERATED_INPUT, MODERATED_OUTPUT, WRONG_KEY, Refusal, entry

FAULTS = {
    "none": "Nothing goes wrong.",
    "stall": "Not a byte comes.",
    "stall_midway": "A few words come, then nothing more.",
    "reset_at_once": "The connection is reset before the response begins.",
    "reset": "The connection is reset in the middle of the answer.",
    "cut_short": "The response ends in the middle of the answer, as if whole.",
    "garbage": "In the middle of the answer come bytes that are no event.",
    "html": "A web page comes instead, as behind a hotel's sign-in page.",
    "empty": "An answer without text.",
    "giant": "An answer that goes on for as long as the model may.",
    "byte_detours": "Where a ban leaves no other way, signs are spelled by their single bytes.",
    "drip": "The answer comes byte by byte.",
    "slow_drip": "The answer comes byte by byte, twenty a second.",
    "halves": "Every part ends inside a character.",
    "no_done": "The answer ends without `[DONE]`.",
    "keep_alive": "Comments come before and between the words.",
    "whole": "A stream was asked for, and the answer comes in one piece.",
    "cumulative": "Every frame repeats the whole text, though only what is new was asked for (DashScope).",
    "spaced": "Fields are written with a space: `event: result` (DashScope).",
    "no_index": "Choices have no `index`, as before 2025 (DashScope).",
    "flat_cache": "The cached tokens stand beside the usage's other figures, as in September 2025.",
    "no_cache_count": "The usage does not tell the cached tokens, as before that.",
    "moderated_midway": "HTTP 200, and in the middle of the answer an error that stops it.",
    "moderated_midway_done": "As before, and `[DONE]` follows the error.",
    "moderated_output": "HTTP 400: moderation refuses the answer.",
    "error_http200": "HTTP 200, and the stream's only event is an error.",
    "spaced_error": "As before, with `event: error` written with a space (DashScope).",
    "sse_http400": "HTTP 400, its body framed as a stream under `application/json`.",
    "event_stream_http400": "HTTP 400, its body framed as a stream under `text/event-stream`.",
    "bare_http404": "HTTP 404 as bare JSON in the OpenAI-compatible shape on either route, without a request's id.",
    "id_only": "HTTP 400 that calls the request's id `id`.",
    "id_inside": "HTTP 400 with the id inside of `error`.",
    "no_ids": "HTTP 429 without any id.",
    "refuse_long_bias": "HTTP 400 for more than 63 entries of `logit_bias`.",
    "http400": "HTTP 400: moderation refuses what was said.",
    "http401": "HTTP 401: the key is wrong.",
    "arrears": "HTTP 400: the account is in arrears.",
    "http404": "HTTP 404: the model is unknown.",
    "http429": "HTTP 429: too many requests.",
    "http500": "HTTP 500: a fault of the service.",
    "http503": "HTTP 503: no capacity.",
}
"""Name -> what happens."""

KINDS = ("http:", "framed:", "midway:")
"""What may stand before a code of the catalogue."""

MOST_BIAS = 63
"""Of the fault `refuse_long_bias`."""

WHOLE_TOO = ("stall_midway", "reset", "cut_short", "garbage", "drip", "slow_drip", "halves")
"""What befalls an answer in one piece as it does a stream."""

_ENTRIES = {
    "sse_http400": MODERATED_INPUT,
    "event_stream_http400": MODERATED_INPUT,
    "error_http200": MODERATED_INPUT,
    "spaced_error": MODERATED_INPUT,
    "id_only": MODERATED_INPUT,
    "id_inside": MODERATED_INPUT,
    "moderated_output": MODERATED_OUTPUT,
    "bare_http404": entry("ModelNotFound"),
    "no_ids": entry("Throttling.RateQuota"),
    "http400": MODERATED_INPUT,
    "http401": WRONG_KEY,
    "arrears": entry("Arrearage"),
    "http404": entry("ModelNotFound"),
    "http429": entry("Throttling.RateQuota"),
    "http500": entry("InternalError"),
    "http503": entry("ModelServingError"),
}


def known(fault: str) -> str:
    """The fault's name. Raises `ValueError` for one that there is not."""
    kind, colon, code = fault.partition(":")
    if colon and f"{kind}:" in KINDS:
        try:
            entry(code)
        except KeyError as error:
            raise ValueError(f"there is no fault {fault!r}: the service's catalogue has no code {code!r}") from error
    elif fault not in FAULTS:
        raise ValueError(f"there is no fault {fault!r}; there is {', '.join(FAULTS)}, and {', '.join(KINDS)} a code")
    return fault


def refusal_of(fault: str) -> Refusal | None:
    """The error with which a known fault answers in place of everything else."""
    kind, _, code = fault.partition(":")
    found = entry(code) if kind in ("http", "framed") else _ENTRIES.get(fault)
    return Refusal(found) if found else None


def breaks_off_with(fault: str) -> Refusal | None:
    """The error with which a known fault ends a stream in its middle."""
    if fault.startswith("midway:"):
        return Refusal(entry(fault.removeprefix("midway:")))
    return Refusal(MODERATED_OUTPUT) if fault in ("moderated_midway", "moderated_midway_done") else None


class Schedule:
    """The faults to come, one a request."""

    def __init__(self, faults: Iterable[str] = ()) -> None:
        """A sequence is checked at once, anything else as it goes. Raises `ValueError` for one that there is not."""
        self._coming = iter([known(fault) for fault in faults] if isinstance(faults, Sequence) else faults)

    def plan(self, faults: Sequence[str], *, repeat: bool = False) -> None:
        """From now on these, and none after them, or these again and again. Raises `ValueError`."""
        named = [known(fault) for fault in faults]
        self._coming = cycle(named) if repeat else iter(named)

    def next(self) -> str:
        """The next request's."""
        return known(next(self._coming, "none"))
