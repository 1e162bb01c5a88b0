"""Whether there is money left for one more request. Pure."""

from __future__ import annotations

from companion.settings.mind import SpendingSettings

MICRO = 1_000_000
"""Parts of a dollar or yuan in which money is counted."""


def used_up(settings: SpendingSettings, today_micro: int, month_micro: int) -> str | None:
    """The cap that is reached, in words that say what to do; None while there is money left."""
    for spent, cap, key in ((today_micro, settings.daily, "daily"), (month_micro, settings.monthly, "monthly")):
        if cap is not None and spent >= cap * MICRO:
            period = "today" if key == "daily" else "this month"
            return f"The money for {period} is used up: wait, or raise spending.{key}."
    return None
