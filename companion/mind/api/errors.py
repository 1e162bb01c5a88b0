"""What the service's error codes mean: all of section 9 of its specification, and what other servers say instead.

Pure. A refusal is either temporary (the same request may succeed a moment later) or final, and then a person must do
something. The two routes spell codes differently, so codes are compared without case and signs (`limit_requests` equals
`LimitRequests`). An unknown code counts as its beginning (`Throttling.New` as `Throttling`), else its status decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from companion.mind.api.messages import Refused

Kind = Literal[
    "throttled",
    "burst",
    "quota",
    "busy",
    "timeout",
    "fault",
    "moderated",
    "unpaid",
    "free_tier",
    "key",
    "denied",
    "model",
    "too_long",
    "parameter",
    "address",
    "elsewhere",
    "unknown",
]

Line = Literal["busy", "denied", "unpaid", "change_subject", "offline", "failed"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusal means."""

    kind: Kind
    retry: bool
    """Whether the same request may succeed later. There is no `Retry-After`: see `rate_limit.BackOff`."""

    line: Line
    """Which of the persona's lines is said."""

    log: str
    """One sentence for a person that says what to do. Nothing of what was said is in it."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One kind of refusal."""

    line: Line
    retry: bool
    says: str
    """How the sentence goes on after the service's name; `{code}` is the code, `{allowed}` a range that it names."""

    codes: tuple[str, ...] = ()


_CATALOGUE: dict[Kind, _Row] = {
    "throttled": _Row(
        "busy",
        True,
        "is asked too often ({code}): fewer requests a second, or one account for fewer units, would help.",
        ("Throttling", "Throttling.RateQuota", "limit_requests", "rate_limit_exceeded"),
    ),
    "burst": _Row(
        "busy",
        True,
        "finds that requests grew too fast ({code}): it takes more of them when they come evenly.",
        ("Throttling.BurstRate", "limit_burst_rate"),
    ),
    "quota": _Row(
        # Named like a lack of money, it is the limit of tokens a minute.
        "busy",
        True,
        "has given this account its tokens for this minute ({code}): it goes on in a minute; ask for a higher limit.",
        ("Throttling.AllocationQuota", "insufficient_quota"),
    ),
    "busy": _Row(
        "busy",
        True,
        "has too much to do ({code}): it is tried again; nothing is wrong here.",
        ("ModelServingError", "ModelUnavailable", "overloaded_error", "unavailable_error"),
    ),
    "timeout": _Row(
        "busy",
        True,
        "took too long ({code}): it is tried again; nothing is wrong here.",
        ("RequestTimeOut", "InternalError.Timeout"),
    ),
    "fault": _Row(
        "failed",
        True,
        "has a fault of its own ({code}): it is tried again; where it lasts, ask the service's support.",
        ("InternalError", "InternalError.Algo", "SystemError", "ModelServiceFailed", "server_error"),
    ),
    "moderated": _Row(
        "change_subject",
        False,
        "does not want to talk about this ({code}): the subject is changed.",
        ("DataInspectionFailed", "CustomRoleBlocked", "FaqRuleBlocked", "IPInfringementSuspect", "content_filter"),
    ),
    "unpaid": _Row(
        # Some of these come with status 429, but only money helps.
        "unpaid",
        False,
        "wants its bill paid ({code}): check the account.",
        ("Arrearage", "CommodityNotPurchased", "PrepaidBillOverdue", "PostpaidBillOverdue"),
    ),
    "free_tier": _Row(
        "unpaid",
        False,
        "has no free tokens left ({code}): switch the account to pay as you go.",
        ("AllocationQuota.FreeTierOnly",),
    ),
    "key": _Row(
        "denied",
        False,
        "does not accept the key ({code}): check DASHSCOPE_API_KEY and that it belongs to character.region.",
        ("InvalidApiKey", "NOT AUTHORIZED", "authentication_error"),
    ),
    "denied": _Row(
        "denied",
        False,
        "denies access ({code}): check that the account may use character.model.",
        ("AccessDenied", "AccessDenied.Unpurchased", "Model.AccessDenied", "Workspace.AccessDenied"),
    ),
    "model": _Row(
        "denied",
        False,
        "does not know the model ({code}): check character.model.",
        ("ModelNotFound", "model_not_supported"),
    ),
    "too_long": _Row(
        "failed",
        False,
        "finds the request too long ({code}{allowed}): make character.history or the persona's profile shorter.",
        ("context_length_exceeded", "exceed_context_size_error"),
    ),
    "parameter": _Row(
        # Said again, it is refused again: somebody has to look at the settings.
        "denied",
        False,
        "refused the request ({code}{allowed}): check the character settings.",
        ("InvalidParameter", "invalid_parameter_error", "invalid_value", "BadRequest", "invalid_request_error"),
    ),
    "address": _Row(
        "offline",
        False,
        "has no chat there ({code}): check character.base_url and character.protocol.",
        (),
    ),
    "elsewhere": _Row(
        "offline",
        True,
        "sent us elsewhere ({code}): check character.base_url, and whether the network wants a sign-in.",
        (),
    ),
    "unknown": _Row("denied", False, "refused the request ({code}): check the character settings and the account.", ()),
}


def _spelled(code: str) -> str:
    """A code without case and signs; dots separate its parts."""
    return re.sub(r"[^a-z0-9.]", "", code.casefold())


_KIND_OF: dict[str, Kind] = {_spelled(code): kind for kind, row in _CATALOGUE.items() for code in row.codes}

_OF_MESSAGE: tuple[tuple[str, Kind], ...] = (
    # Errors that share the code of bad parameters.
    (r"Range of input length|context (length|size)|maximum context", "too_long"),
    (r"model .{0,80}(not exist|not found)|Unsupported model", "model"),
    (r"DataInspectionFailed|inappropriate content|\bflagged\b|content (management )?policy", "moderated"),
)

_ANY: tuple[str, ...] = ("invalid_request_error", "BadRequestError", "InvalidParameter", "invalid_parameter_error")
"""Codes that other servers put on everything: the status says more."""

_OF_STATUS: dict[int, Kind] = {
    401: "key",
    402: "unpaid",
    403: "denied",
    404: "address",
    405: "address",
    408: "timeout",
    413: "too_long",
    429: "throttled",
    503: "busy",
    504: "timeout",
}

_RANGE = re.compile(r"Range of [\w ]{1,40} should be [\[(][\d., ^-]{1,40}[\])]")


def explain_refusal(refused: Refused, service: str = "The character service") -> Refusal:
    """What a refusal means. `service` is how its sentence begins."""
    kind = _kind(refused)
    row = _CATALOGUE[kind]
    # The service's own words may quote what was said, so nothing of them is shown but a range of numbers.
    range_ = _RANGE.search(refused.message)
    says = row.says.format(code=refused.code or "no code", allowed=f": {range_[0]}" if range_ else "")
    return Refusal(kind, row.retry, row.line, f"{service} {says}")


def told_fields(refused: Refused) -> frozenset[str]:
    """The parts of the request that the error names apart from its words: `param`, or `loc` of what was validated."""
    places = [refused.field, *_PLACE.findall(refused.message)]
    return frozenset(re.findall(r"[A-Za-z_]+", " ".join(places))) - {"body"}


def named_fields(refused: Refused, fields: Iterable[str]) -> frozenset[str]:
    """Which of these request fields the error is about; one word alone (`stop`) must stand like a field's name."""
    fields = frozenset(fields)
    if told := told_fields(refused) & fields:
        return told
    found = {field for field in fields if re.search(_name_pattern(field), refused.message, re.IGNORECASE)}
    # "`stream_options` needs `stream`" is about the former.
    return frozenset(found - {"stream"} or found)


_PLACE = re.compile(r"""["']loc["']:\s*[\[(]([^\])]*)""")
_LISTED = r"\b(?:of|supports?|supporting|(?:parameter|argument|field|option|key|input)s?\b[^.]{0,80}?)\W{0,3}\b"
_SAID = r"\W{0,3}(?:is|are|must|should|cannot|can only|not|parameter|argument|field|option|mode|unsupported|unknown)\b"
_WORDS_TOO = 7
"""Shorter names are words of any sentence (`stop`, `n`)."""


def _name_pattern(field: str) -> str:
    name = re.escape(field)
    if len(field) >= _WORDS_TOO:
        return rf"\b{name}\b"
    if field == "stream":
        name = "stream(?:ing)?"
    said = rf"|\b{name}\b{_SAID}" if len(field) > 3 else ""
    if field == "n":
        said = r"|\b(?:one|multiple|single) (?:completion )?(?:choice|completion)s?\b"
    return rf"""["'`]{name}["'`]|{_LISTED}{name}\b{said}"""


def _kind(refused: Refused) -> Kind:
    code, status = _spelled(refused.code), refused.status or _status_in(refused.code)
    if status and 300 <= status < 400:
        return "elsewhere"
    if status in (None, 200, 400, 403, 404, 500):
        for pattern, kind in _OF_MESSAGE:
            if re.search(pattern, refused.message, re.IGNORECASE):
                return kind
    known = _by_code(code)
    if known is not None and not (code in map(_spelled, _ANY) and status in _OF_STATUS):
        return known
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    if status and status >= 500:
        return "fault"
    return "parameter" if status in (400, 422) else "unknown"


def _by_code(code: str) -> Kind | None:
    """The whole code, else its last part (`Algo.InvalidParameter`), else its beginning."""
    parts = code.split(".")
    tries = [code, parts[-1], *(".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1))]
    return next((_KIND_OF[one] for one in tries if one in _KIND_OF), None)


def _status_in(code: str) -> int | None:
    found = re.fullmatch(r"http_(\d{3})", code)
    return int(found[1]) if found else None
