"""What the talk costs: every request goes to the ledger, and none is sent when the money is used up.

Where the model's price is unknown nothing can be capped; the log says so once. Runs on the event loop's thread; asking
what was spent is no I/O.
"""

from __future__ import annotations

import logging

from companion.errors import CharacterRefused
from companion.mind import models
from companion.mind.caps import used_up
from companion.mind.chat_protocol import MemoryUse, Usage
from companion.mind.ledger import Ledger, Spent, Use
from companion.mind.models import Model
from companion.settings.mind import SpendingSettings

log = logging.getLogger("companion")


class Spending:
    """Of one character on one unit."""

    def __init__(self, settings: SpendingSettings, model: Model, persona: str, ledger: Ledger | None) -> None:
        """Without a `ledger` nothing is noted and no cap holds."""
        self._settings = settings
        self._model = model
        self._persona = persona
        self._ledger = ledger
        self._summary: MemoryUse | None = None
        if (settings.daily or settings.monthly) and models.price(model, 0, 0, 0) is None:
            log.warning("The price of the model %s is not known, so spending cannot be capped.", model.name)

    @property
    def spent(self) -> Spent:
        """Today's and this month's money, in the currency of the model's price."""
        return Spent(0, 0, self._model.currency) if self._ledger is None else self._ledger.spent(self._model.currency)

    def check(self) -> None:
        """Raises `CharacterRefused` where a cap is reached."""
        spent = self.spent
        why = used_up(self._settings, spent.today_micro, spent.month_micro)
        if why is not None:
            raise CharacterRefused(why, "spent", "spent")

    def note(self, person: str, purpose: str, usage: Usage) -> tuple[int | None, str]:
        """Put one request into the ledger. Returns its price in millionths, None where unknown, and the currency."""
        made = usage.memory
        if made is not None and made != self._summary:
            # The service tells with each request what its last summary cost; the same figures are the same summary.
            self._summary = made
            if made.prompt:
                self._add(person, "summary", Usage(made.prompt, made.completion, made.cached))
        return self._add(person, purpose, usage), self._model.currency

    def _add(self, person: str, purpose: str, usage: Usage) -> int | None:
        model = self._model
        cost = models.price(model, usage.prompt, usage.cached, usage.completion)
        if self._ledger is not None:
            self._ledger.add(
                Use(
                    person=person,
                    persona=self._persona,
                    model=model.name,
                    region=model.region,
                    purpose=purpose,
                    prompt=usage.prompt,
                    cached=usage.cached,
                    completion=usage.completion,
                    cost_micro=cost,
                    currency=model.currency,
                )
            )
        return cost
