"""The persona by its policy: lines that may not be said, a profile that orders what is blocked. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from companion.config.persona import Persona
from companion.config.policy import Policy
from companion.examination.findings import Remark
from companion.guard.judge import Judge
from companion.guard.persona_faults import persona_faults
from companion.languages.understood import understood


def guard_remarks(persona: Persona, policy: Policy) -> Iterator[Remark]:
    """What the policy does not allow, an error each: no unit starts with it."""
    for key, text in persona_faults(persona, Judge(policy, understood(persona.language))):
        yield Remark("error", key, text)
