"""What the service's refusals mean: section 9 of its specification, as far as this product must tell them apart.

Pure. A refusal is passing (the same request may succeed a moment later), or final, and then a person must do something.
"""

from __future__ import annotations

import re

from companion.mind.chat_protocol import Refused

_UNPAID = frozenset({"Arrearage", "CommodityNotPurchased", "PrepaidBillOverdue", "PostpaidBillOverdue"})
"""Some of these come with status 429, but only money helps."""

_PASSING = frozenset(
    {
        # Named like a lack of money, it is the limit of tokens a minute.
        "insufficient_quota",
        "limit_requests",
        "limit_burst_rate",
        "internal_error",
        "LimitRequests",
        "Throttling",
        "Throttling.RateQuota",
        "Throttling.BurstRate",
        "Throttling.AllocationQuota",
        "InternalError",
        "InternalError.Algo",
        "InternalError.Timeout",
        "SystemError",
        "ModelServiceFailed",
        "RequestTimeOut",
        "ModelServingError",
        "ModelUnavailable",
    }
)


def worth_retrying(status: int, code: str) -> bool:
    """Whether the same request may succeed a moment later. In the middle of a stream the status is 200."""
    return code not in _UNPAID and (code in _PASSING or status in (408, 429) or status >= 500)


def is_moderation(code: str) -> bool:
    """Whether what was said, or what would have been answered, is the reason."""
    return code in ("data_inspection_failed", "DataInspectionFailed")


def sentence(status: int, refused: Refused) -> str:
    """What to do about a final refusal: the rest of a sentence that begins with the service's name.

    The service's own words may quote what was said, so nothing of them is shown but a range of numbers.
    """
    code = refused.code
    if status == 401 or code in ("invalid_api_key", "InvalidApiKey"):
        return f"does not accept the key ({code}): check DASHSCOPE_API_KEY and that it belongs to this region."
    if code in _UNPAID:
        return f"wants its bill paid ({code}): check the account."
    if code == "AllocationQuota.FreeTierOnly":
        return f"has no free tokens left ({code}): switch the account to pay as you go."
    if code in ("model_not_found", "ModelNotFound", "model_not_supported"):
        return f"does not know the model ({code}): check character.model."
    if is_moderation(code):
        return f"does not want to talk about this ({code})."
    if status == 403:
        return f"denies access ({code}): check that the account may use character.model."
    if status == 404:
        return f"has no chat there ({code}): check character.base_url."
    allowed = re.search(r"Range of [\w ]{1,40} should be [\[(][\d., ^-]{1,40}[\])]", refused.message)
    return f"refused the request ({code}{f': {allowed[0]}' if allowed else ''}): check the character settings."
