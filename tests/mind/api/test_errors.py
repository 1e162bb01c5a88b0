"""What each refusal of the catalogue means: whether to try again, what is said aloud, what a person is told to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.mind.api.errors import explain_refusal, named_fields
from companion.mind.api.parser import Refused

CATALOGUE: list[tuple[int, str, str, str, int, str]] = [
    # status, codes of both routes, message, kind, retry, line
    (
        400,
        "InvalidParameter invalid_parameter_error invalid_value",
        "Range of n should be [1, 4]",
        "parameter",
        0,
        "denied",
    ),
    (400, "BadRequest.EmptyInput BadRequest.IllegalInput BadRequest.EmptyModel", "Required", "parameter", 0, "denied"),
    (
        400,
        "InvalidParameter invalid_parameter_error",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30000]",
        "too_long",
        0,
        "failed",
    ),
    (400, "DataInspectionFailed data_inspection_failed", "Output data may", "moderated", 0, "change_subject"),
    (400, "CustomRoleBlocked FaqRuleBlocked IPInfringementSuspect", "", "moderated", 0, "change_subject"),
    (400, "Arrearage", "Access denied, please make sure", "unpaid", 0, "unpaid"),
    (401, "InvalidApiKey invalid_api_key", "Incorrect API key provided.", "key", 0, "denied"),
    (401, "NOTAUTHORIZED", "workspace", "key", 0, "denied"),
    (403, "AccessDenied access_denied AccessDenied.Unpurchased", "Access denied.", "denied", 0, "denied"),
    (403, "Model.AccessDenied Workspace.AccessDenied", "", "denied", 0, "denied"),
    (403, "AllocationQuota.FreeTierOnly", "The free tier", "free_tier", 0, "unpaid"),
    (404, "ModelNotFound model_not_found", "The model xxx does not exist", "model", 0, "denied"),
    (404, "model_not_supported", "Unsupported model xxx for OpenAI compatibility mode.", "model", 0, "denied"),
    (400, "InvalidParameter", "Model not exist.", "model", 0, "denied"),
    (429, "Throttling Throttling.RateQuota LimitRequests limit_requests", "Requests", "throttled", 1, "busy"),
    (429, "Throttling.BurstRate limit_burst_rate", "Request rate increased too quickly.", "burst", 1, "busy"),
    (429, "Throttling.AllocationQuota insufficient_quota", "You exceeded your current quota", "quota", 1, "busy"),
    (429, "CommodityNotPurchased PrepaidBillOverdue PostpaidBillOverdue", "", "unpaid", 0, "unpaid"),
    (500, "InternalError internal_error InternalError.Algo SystemError ModelServiceFailed", "", "fault", 1, "failed"),
    (500, "InternalError.Timeout RequestTimeOut", "Request timed out", "timeout", 1, "busy"),
    (503, "ModelServingError ModelUnavailable", "Too many requests.", "busy", 1, "busy"),
    # What stands in nobody's catalogue.
    (429, "Throttling.Something http_429", "", "throttled", 1, "busy"),
    (502, "http_502", "", "fault", 1, "failed"),
    (503, "http_503", "", "busy", 1, "busy"),
    (504, "http_504", "", "timeout", 1, "busy"),
    (404, "http_404", "", "address", 0, "offline"),
    (302, "http_302", "", "elsewhere", 1, "offline"),
    (413, "http_413", "", "too_long", 0, "failed"),
    (418, "http_418 teapot", "", "unknown", 0, "denied"),
    (401, "invalid_request_error", "", "key", 0, "denied"),
    (400, "exceed_context_size_error", "the request exceeds the available context size", "too_long", 0, "failed"),
    (404, "not_found_error", 'model "x" not found, try pulling it first', "model", 0, "denied"),
    (400, "InternalError.Algo.InvalidParameter", "", "parameter", 0, "denied"),
]
ROWS = [
    (status, code, message, kind, retry, line)
    for status, codes, message, kind, retry, line in CATALOGUE
    for code in codes.split()
]


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "retry", "line"), ROWS, ids=[f"{r[0]}-{r[1]}" for r in ROWS]
)
def test_the_catalogue(status: int, code: str, message: str, kind: str, retry: int, line: str) -> None:
    found = explain_refusal(Refused(code, message, status))
    assert (found.kind, found.retry, found.line) == (kind, bool(retry), line)


@pytest.mark.parametrize(("code", "message", "kind"), [row[1:4] for row in ROWS if "." in row[1] or row[0] < 418])
def test_in_the_middle_of_a_stream_a_code_means_the_same(code: str, message: str, kind: str) -> None:
    # These say little by themselves.
    if not code.startswith("http_") and code != "invalid_request_error":
        assert explain_refusal(Refused(code, message)).kind == kind
        assert explain_refusal(Refused(code, message, 200)).kind == kind


@pytest.mark.parametrize("row", ROWS, ids=[f"{r[0]}-{r[1]}" for r in ROWS])
def test_the_log_is_one_sentence_that_says_what_to_do(row: tuple[int, str, str, str, int, str]) -> None:
    log = explain_refusal(Refused(row[1], row[2], row[0]), "The character service at example.org").log
    assert log.startswith("The character service at example.org ")
    assert row[1] in log
    assert ": " in log
    assert log.endswith(".")
    assert "\n" not in log


@given(code=st.text(max_size=30), message=st.text(max_size=60), status=st.none() | st.integers(100, 599))
def test_any_refusal_has_a_meaning_and_nothing_said_is_in_the_log(code: str, message: str, status: int | None) -> None:
    found = explain_refusal(Refused("x", f"the dog ate {message} Range of max_tokens should be [1, 4000]", status))
    assert "the dog ate" not in found.log
    assert explain_refusal(Refused(code, message, status)).line in {
        *("busy", "denied", "unpaid", "change_subject", "offline", "failed")
    }


def test_the_allowed_range_is_shown() -> None:
    log = explain_refusal(Refused("InvalidParameter", "secret Range of max_tokens should be [1, 4000] secret", 400)).log
    assert "Range of max_tokens should be [1, 4000]" in log
    assert "secret" not in log


FIELDS = ("logit_bias", "partial", "seed", "n", "stream_options", "character_options")


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("'logit_bias' must be an object", {"logit_bias"}),
        ('{"detail":[{"loc":["body","seed"],"msg":"Extra inputs"}]}', {"seed"}),
        ("Range of n should be [1, 4]", {"n"}),
        ("n is not a field of my own", set()),
        ("Unrecognized request arguments: stream_options, partial", {"stream_options", "partial"}),
        ("Partially failed, unseeded", set()),
    ],
)
def test_the_fields_that_a_refusal_names(message: str, named: set[str]) -> None:
    assert named_fields(Refused("x", message, 400), FIELDS) == named
