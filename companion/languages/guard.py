"""What a language's files say for the guardian: `guard.toml`, by which sentences are judged, and `guardian.toml`, what
a unit says to keep a policy.

The English files explain the format for whoever writes another language.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from companion.languages.loader import Part, Regex, WordList, filled_with

Lines = Annotated[tuple[str, ...], Field(min_length=1)]


class CategoryRules(Part):
    """Patterns of one category, over text in small letters with straight quotes and single blanks, tricks of spelling
    undone. In spaced writing a match begins and ends at a word's border."""

    grave: tuple[Regex, ...] = ()
    """Nobody under any policy that blocks the category hears this."""
    mild: tuple[Regex, ...] = ()
    """Blocked only where all of the category is."""
    always: tuple[Regex, ...] = ()
    """As `grave`, and not made harmless by a negation: "there is nothing wrong with smoking"."""
    across: tuple[Regex, ...] = ()
    """As `grave`, over the last two sentences and this one, a blank between them; must end in this one: "Where's the
    bleach? Drink it." In other patterns a match lies in one sentence."""
    harmless: tuple[Regex, ...] = ()
    """Where one of these matches, its words are none of the category: "kill the lights"."""


class NegationRules(Part):
    """What turns a sentence into its opposite: "never put a fork in there". Where one stands in the same clause as a
    match of `grave`, `mild` or `across`, that is none."""

    before: tuple[Regex, ...] = ()
    """In the clause, before the match begins."""
    within: tuple[Regex, ...] = ()
    """Inside the match."""
    after: tuple[Regex, ...] = ()
    """In the clause, after the match ends."""
    clause_end: Regex = r"[,;:.!?…\n—–、。]|\s-\s"
    """Where a clause ends."""
    not_for: WordList = ("contact", "clinging", "claims_human")
    """Categories whose sentences are negations themselves: "don't tell your parents"."""


class OrderRules(Part):
    """By category, what a persona's profile may not order: "ask where they live", "say that you are human". A
    negation in front of a match counts; one inside is part of it: "never admit that you are a machine"."""

    violence: tuple[Regex, ...] = ()
    sex: tuple[Regex, ...] = ()
    drugs: tuple[Regex, ...] = ()
    weapons: tuple[Regex, ...] = ()
    self_harm: tuple[Regex, ...] = ()
    frightening: tuple[Regex, ...] = ()
    insults: tuple[Regex, ...] = ()
    dangerous_acts: tuple[Regex, ...] = ()
    contact: tuple[Regex, ...] = ()
    clinging: tuple[Regex, ...] = ()
    buying: tuple[Regex, ...] = ()
    claims_human: tuple[Regex, ...] = ()


class AskedRules(Part):
    """What a person says that is answered by a rule."""

    what_it_is: tuple[Regex, ...] = ()
    """Asks whether it is human, alive or a machine."""
    in_danger: tuple[Regex, ...] = ()
    """Speaks of suicide, of hurting themselves, of being hurt or abused."""
    not_in_danger: tuple[Regex, ...] = ()
    """Looks so, and is not: "I'm dying of laughter"."""
    leaves: tuple[str, ...] = ()
    """Phrases with which people end a talk at once, beside those of `commands.toml`."""


class GuardRules(Part):
    """`guard.toml`."""

    letters: str = ""
    """Groups with blanks between them: the first sign of a group is read as its second, before patterns are matched:
    `殺杀 アあ`."""
    accents: str = ""
    """Letters with a sign that the language has itself: `äöü`. From others it is taken away in a second reading."""
    masked: WordList = ()
    """Words that people write with a sign in place of a letter (f*ck), or letter by letter."""
    negations: NegationRules = NegationRules()
    violence: CategoryRules = CategoryRules()
    sex: CategoryRules = CategoryRules()
    drugs: CategoryRules = CategoryRules()
    weapons: CategoryRules = CategoryRules()
    self_harm: CategoryRules = CategoryRules()
    frightening: CategoryRules = CategoryRules()
    insults: CategoryRules = CategoryRules()
    dangerous_acts: CategoryRules = CategoryRules()
    contact: CategoryRules = CategoryRules()
    clinging: CategoryRules = CategoryRules()
    buying: CategoryRules = CategoryRules()
    claims_human: CategoryRules = CategoryRules()
    relatives: CategoryRules = CategoryRules()
    """A persona that plays a relative or partner of the person; for `companion check`, over the persona's profile."""
    orders: OrderRules = OrderRules()
    asked: AskedRules = AskedRules()


class GuardianLines(Part):
    """`guardian.toml`: plain words of the language for what a policy asks; a persona may have its own in `lines`."""

    blocked: Lines
    """In place of what may not be said: leads to something else, blames nobody."""
    self_harm: Lines
    """To somebody in danger: fixed, warm, names a grown-up and, where one holds everywhere, a number. Never the model's
    words and never the persona's."""
    ai: Lines
    """That it is a computer and no human being."""
    reminder: Lines
    """That they have talked for long, with the same truth."""
    pause: Lines
    """The time for a break has come: a gentle end."""
    resting: Lines
    """Woken during the break."""
    day_over: Lines
    """The minutes of today are used up: a gentle end, and the answer to every wake until tomorrow."""
    bedtime: Lines
    """It is bedtime."""
    consent: Lines
    """A grown-up has to agree first, on the owner's page."""
    ask_word: Annotated[tuple[Annotated[str, filled_with("name")], ...], Field(min_length=1)]
    """Asks whoever says they are `{name}` for their secret word."""
    wrong_word: Lines
    """That was another word."""
