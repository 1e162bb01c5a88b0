"""The service's error catalogue: HTTP status, the code on each route, and the message.

Pure. From sections 3 and 9 of the service's specification and the error page that they quote. Where the catalogue gives
no code for the OpenAI-compatible route, the DashScope code is used there too.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

_PAGE = "https://help.aliyun.com/zh/model-studio/error-code"


@dataclass(frozen=True, slots=True)
class ApiError:
    """One error of the catalogue."""

    status: int
    code: str
    """On the DashScope route."""
    message: str
    openai_code: str = ""
    """On the OpenAI-compatible route; `code` where empty."""
    kind: str = ""
    """`type` on the OpenAI-compatible route; its code where empty."""
    openai_message: str = ""
    """The OpenAI-compatible route's message, where it differs."""
    anchor: str = ""
    """The anchor on the error page that the OpenAI-compatible route refers to."""


class Refusal(Exception):
    """The request is answered with this error."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error
        self.status = error.status

    def openai(self, id_: str) -> dict[str, Any]:
        """The envelope of the OpenAI-compatible route (section 4.3)."""
        entry = self.error
        code = entry.openai_code or entry.code
        message = entry.openai_message or entry.message
        if entry.anchor:
            message = f"{message} For details, see: {_PAGE}#{entry.anchor}"
        error = {"message": message, "type": entry.kind or code, "param": None, "code": code}
        return {"error": error, "id": f"chatcmpl-{id_}", "request_id": id_}

    def dashscope(self, id_: str) -> dict[str, Any]:
        """The envelope of the DashScope route (section 5.3)."""
        return {"code": self.error.code, "message": self.error.message, "request_id": id_}


def new_id() -> str:
    """A new request id."""
    return str(uuid.uuid4())


def invalid(what: str, *, plainly: bool = False) -> Refusal:
    """The refusal of a parameter. `plainly`: without the prefix, as the gateway refuses it before the model does."""
    words = what if plainly else f"<400> InternalError.Algo.InvalidParameter: {what}"
    return Refusal(ApiError(400, "InvalidParameter", words, "invalid_parameter_error", "invalid_request_error"))


def no_such_model(name: str) -> Refusal:
    """The refusal of an unknown model."""
    words = f"The model {name} does not exist or you do not have access to it."
    return Refusal(replace(find_error("ModelNotFound"), message=words))


def find_error(code: str) -> ApiError:
    """The error with this code, on either route. Raises `KeyError` where there is none."""
    for one in ENTRIES:
        if code in (one.code, one.openai_code):
            return one
    raise KeyError(code)


_ASK = "invalid_request_error"
_SATURATED = (
    "Too many requests. Your requests are being throttled due to system capacity limits. Please try again later."
)

ENTRIES = (
    ApiError(400, "InvalidParameter", "Required body invalid, please check the request body format.",
             "invalid_parameter_error", _ASK),
    ApiError(400, "BadRequest.EmptyInput", "Required input parameter missing from request."),
    ApiError(400, "BadRequest.EmptyParameters", 'Required parameter "parameters" missing from request.'),
    ApiError(400, "BadRequest.EmptyModel", 'Required parameter "model" missing from request.',
             _ASK, _ASK, "you must provide a model parameter."),
    ApiError(400, "BadRequest.IllegalInput", "The input parameter requires json format."),
    ApiError(400, "invalid_value", "'seed' must be Integer", kind=_ASK),
    ApiError(400, "DataInspectionFailed", "Input data may contain inappropriate content.",
             "data_inspection_failed", anchor="inappropriate-content"),
    ApiError(400, "CustomRoleBlocked", "Input or output data may contain inappropriate content with custom rule."),
    ApiError(400, "FaqRuleBlocked", "Input or output data is blocked by faq rule."),
    ApiError(400, "IPInfringementSuspect", "Input data is suspected of being involved in IP infringement."),
    ApiError(400, "Arrearage", "Access denied, please make sure your account is in good standing.",
             anchor="overdue-payment"),
    ApiError(401, "InvalidApiKey", "Invalid API-key provided.", "invalid_api_key", _ASK,
             "Incorrect API key provided.", "apikey-error"),
    ApiError(401, "NOT AUTHORIZED",
             "Access denied: Either you are not authorized to access this workspace, or the workspace does not exist."),
    ApiError(403, "AccessDenied", "Access denied.", "access_denied"),
    ApiError(403, "AccessDenied.Unpurchased",
             "Access to model denied. Please make sure you are eligible for using the model."),
    ApiError(403, "Model.AccessDenied", "Model access denied."),
    ApiError(403, "Workspace.AccessDenied", "Workspace access denied."),
    ApiError(403, "AllocationQuota.FreeTierOnly",
             "The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, "
             'please disable the "use free tier only" mode in the management console.'),
    ApiError(404, "ModelNotFound", "Model can not be found.", "model_not_found", _ASK),
    ApiError(404, "model_not_supported", "Unsupported model xxx for OpenAI compatibility mode."),
    ApiError(429, "Throttling", "Requests throttling triggered."),
    ApiError(429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later.",
             "limit_requests", openai_message="You have exceeded your current request limit.", anchor="rate-limit"),
    ApiError(429, "LimitRequests", "You exceeded your current requests list.", "limit_requests",
             anchor="rate-limit"),
    ApiError(429, "Throttling.BurstRate",
             "Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale "
             "requests more smoothly over time.", "limit_burst_rate"),
    ApiError(429, "Throttling.AllocationQuota", "Allocated quota exceeded, please increase your quota limit.",
             "insufficient_quota",
             openai_message="You exceeded your current quota, please check your plan and billing details.",
             anchor="token-limit"),
    ApiError(429, "CommodityNotPurchased", "Commodity has not purchased yet."),
    ApiError(429, "PrepaidBillOverdue", "The prepaid bill is overdue."),
    ApiError(429, "PostpaidBillOverdue", "The postpaid bill is overdue."),
    ApiError(500, "InternalError",
             "An internal error has occured, please try again later or contact service support.",
             "internal_error"),
    ApiError(500, "InternalError.Algo", "An internal error has occured during algorithm execution."),
    ApiError(500, "InternalError.Timeout",
             "An internal timeout error has occured during execution, please try again later or contact service "
             "support."),
    ApiError(500, "SystemError", "An system error has occured, please try again later."),
    ApiError(500, "ModelServiceFailed", "Failed to request model service."),
    ApiError(500, "RequestTimeOut", "Request timed out, please try again later."),
    ApiError(503, "ModelServingError", _SATURATED),
    ApiError(503, "ModelUnavailable", "Model is unavailable, please try again later."),
)  # fmt: skip
"""Section 9, row by row."""

BODY = find_error("InvalidParameter")
JSON_WANTED = find_error("BadRequest.IllegalInput")
NO_INPUT = find_error("BadRequest.EmptyInput")
NO_MODEL = find_error("BadRequest.EmptyModel")
WRONG_KEY = find_error("InvalidApiKey")
MODERATED_INPUT = find_error("DataInspectionFailed")
MODERATED_OUTPUT = replace(MODERATED_INPUT, message="Output data may contain inappropriate content.")
RATE = find_error("Throttling.RateQuota")
QUOTA = find_error("Throttling.AllocationQuota")
