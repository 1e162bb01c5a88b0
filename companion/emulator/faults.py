"""What can go wrong between a device and the service, on purpose.

Each request takes the fault that its header `x-emulator-fault` names, else the server's next one.
"""

from __future__ import annotations

from companion.emulator.wire import Refusal

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
    "drip": "The answer comes byte by byte.",
    "halves": "Every part ends inside a character.",
    "no_done": "The answer ends without `[DONE]`.",
    "keep_alive": "Comments come before and between the words.",
    "moderated_midway": "HTTP 200, and in the middle of the answer an error that stops it.",
    "sse_http400": "HTTP 400, its body framed as a stream under `application/json`.",
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

MODERATED_MIDWAY = Refusal(
    200, "data_inspection_failed", "Output data may contain inappropriate content.", "data_inspection_failed"
)
LONG_BIAS = Refusal(400, "invalid_parameter_error", "<400> InternalError.Algo.InvalidParameter: logit_bias is too long")
MOST_BIAS = 63

_MODERATED = Refusal(
    400, "data_inspection_failed", "Input data may contain inappropriate content.", "data_inspection_failed"
)
REFUSALS = {
    "sse_http400": _MODERATED,
    "http400": _MODERATED,
    "http401": Refusal(401, "invalid_api_key", "Incorrect API key provided."),
    "arrears": Refusal(
        400, "Arrearage", "Access denied, please make sure your account is in good standing.", "Arrearage"
    ),
    "http404": Refusal(404, "model_not_found", "The model does not exist or you do not have access to it."),
    "http429": Refusal(429, "limit_requests", "You have exceeded your current request limit.", "limit_requests"),
    "http500": Refusal(
        500,
        "internal_error",
        "An internal error has occured, please try again later or contact service support.",
        "internal_error",
    ),
    "http503": Refusal(
        503,
        "ModelUnavailable",
        "Too many requests. Your requests are being throttled due to system capacity limits.",
        "ModelUnavailable",
    ),
}
"""The faults that are plain refusals."""


def known(fault: str) -> str:
    """The fault's name. Raises `ValueError` for one that there is not."""
    if fault not in FAULTS:
        raise ValueError(f"there is no fault {fault!r}; there is {', '.join(FAULTS)}")
    return fault
