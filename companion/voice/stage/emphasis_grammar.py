"""Whether marked words are a stage direction or emphasis: `_giggles softly_` is done, `_so_` is said. Pure.

Marked words are a direction if they have the grammar of one (`waves`, `smiling shyly`, `tersenyum`, 微笑着挥手) and
stand where a sentence could end, or if they are a sentence of their own that tells what one sees or hears (`A long
pause.`, `He smiles.`). Everything else is emphasis: `you must **wave**`, `he **smiles** a lot`, `**Happy** birthday`.
The grammar of each language is in its `emphasis.toml`; the head of the English file explains it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from companion.languages.language import Language
from companion.languages.stage import Emphasis
from companion.languages.understood import Understood, compiled, merged
from companion.voice.stage.brackets import STARS
from companion.voice.stage.meaning import read_direction
from companion.voice.stage.scanner import Lookahead, is_cjk, is_word_char

_LOOK_BACK = 24
"""Code points before the mark that are examined; the stage keeps more."""
_LOOK_AHEAD = 16
"""Code points of the word after the mark that are examined."""

_APART = ",;:，；：—–-…。！？、~～"
"""After these a direction may stand in the middle of a sentence: `Well, _giggles_ okay`."""
_MOST_STRESSED = 3
_MOST_TITLE = 6
"""Words."""
_INNER_MARKS = re.compile(r"</?[a-z]{1,6}>|[*＊_~～`]+", re.IGNORECASE)
_TITLE = re.compile(r"\s[A-Z](?!\b)")


@dataclass(frozen=True, slots=True)
class _DoneWords:
    """How one language tells what is done: the patterns of `emphasis.toml`, compiled."""

    present: re.Pattern[str]
    doing: re.Pattern[str]
    manner: re.Pattern[str]
    perhaps: re.Pattern[str]
    with_subject: re.Pattern[str]
    with_name: re.Pattern[str]
    capital_present: re.Pattern[str]
    capital_doing: re.Pattern[str]
    manner_alone: re.Pattern[str]
    only_known: bool
    capital_nouns: bool

    def is_verb(self, words: str) -> bool:
        """Whether the words begin with a verb."""
        return self.present.match(words) is not None or self.doing.match(words) is not None

    def is_sentence_or_verb(self, words: str) -> bool:
        """Whether they begin with a verb, or with a subject and its verb."""
        return self.is_verb(words) or self.with_subject.match(words) is not None

    def may_be_done(self, words: str) -> bool:
        """Whether they may be a direction if their meaning is known."""
        return self.manner.match(words) is not None or self.perhaps.match(words) is not None


@dataclass(frozen=True, slots=True)
class Grammar:
    """What tells directions from emphasis in all languages that a device understands."""

    done: tuple[_DoneWords, ...]
    adverb_end: re.Pattern[str]
    body_verbs: re.Pattern[str]
    events: re.Pattern[str]
    said: re.Pattern[str]
    first_person: re.Pattern[str]
    goes_on: frozenset[str]
    before: re.Pattern[str]
    name_before: re.Pattern[str]
    interjection: re.Pattern[str]
    leads_in: frozenset[str]
    """Words after which a sentence goes on with a verb or noun."""
    articles: frozenset[str]
    stressed: re.Pattern[str]
    speech_begins: re.Pattern[str]


@cache
def grammar_of(languages: Understood) -> Grammar:
    """The grammar of these languages, compiled at the first call."""
    whole = merged([one.emphasis for one in languages])
    interjections = whole.interjections or "(?!)"
    return Grammar(
        tuple(_done_words(one, languages.own) for one in languages if one.emphasis != Emphasis()),
        compiled(whole.adverb_end),
        compiled(rf"(?:{_one_of(whole.body_verbs)})\b", re.IGNORECASE),
        compiled(whole.events, re.IGNORECASE),
        compiled(whole.said and rf"(?:{whole.said})\b", re.IGNORECASE),
        compiled(rf"\b(?:{_one_of(whole.first_person)})\b", re.IGNORECASE),
        whole.goes_on,
        compiled(
            rf"(?:^|[^\w'’])(?:{_one_of(whole.before_verb)}|(?:{_one_of(whole.before_noun)})(?:\s+[\w'’-]+)?)$",
            re.IGNORECASE,
        ),
        compiled(rf"(?:^|[^\w'’])(?!(?:{interjections})$)[A-ZÀ-ÖØ-Þ][\w'’-]*$"),
        compiled(interjections),
        whole.before_verb | whole.before_noun,
        whole.before_noun,
        compiled(whole.stressed),
        compiled(whole.speech_begins),
    )


def _done_words(language: Language, own: Language) -> _DoneWords:
    one = language.emphasis
    return _DoneWords(
        compiled(one.present),
        compiled(one.doing),
        compiled(one.manner),
        compiled(one.perhaps),
        compiled(one.with_subject, re.IGNORECASE),
        compiled(one.with_name),
        compiled(one.present, re.IGNORECASE),
        compiled(one.doing, re.IGNORECASE),
        compiled(one.manner_alone, re.IGNORECASE),
        one.only_known or own.emphasis.only_known,
        one.capital_nouns,
    )


def _one_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words))) or "(?!)"


def is_direction(
    look: Lookahead, start: int, end: int, said: str, begins: bool, bold: bool, languages: Understood
) -> bool:
    """Whether `said`, with its marks from `start` to `end`, is a direction.

    `begins`: a sentence begins at `start`. `bold`: the marks are those of strong emphasis, which is also used for
    headings and key words. Raises `Incomplete` if the word after the marks has not arrived yet.
    """
    words = _INNER_MARKS.sub("", said).strip()
    bare = words.rstrip(".… 。")
    if not bare or bare[-1] in "!?！？:：,，;；" or not bare[0].isalpha() or is_word_char(look.at(end)):
        return False
    grammar = grammar_of(languages)
    if any(is_cjk(ch) and ch.isalnum() for ch in bare):
        return begins and _is_known(bare, languages) and _may_end_unspaced(look, end, grammar)
    line_end = look.at_line_end(end)
    if not begins:
        return _interrupts(look, start, end, bare, line_end, languages)
    if not bare[0].isupper():
        return _is_direction_in_small_letters(look, end, bare, bold, line_end, languages)
    if not (line_end or (words[-1] in ".…。" and look.at(end).isspace()) or _begins_anew(look, end)):
        return False
    if grammar.events.fullmatch(bare):
        return True
    if not _is_known(bare, languages) or grammar.said.match(bare) or grammar.first_person.search(bare):
        return False
    return any(_is_sentence_of_its_own(bare, words != bare, bold, line_end, one, languages) for one in grammar.done)


def is_emphasis(look: Lookahead, start: int, end: int, said: str, begins: bool, languages: Understood) -> bool:
    """Whether `said` in single stars is a stressed word or a title: `It is *not* a toy`, `I read *The Red Bear*`.

    Single stars are the usual marks of directions, so only a few words are taken for emphasis, only where a sentence
    goes on around them or is exclaimed (`*Non* !`, `*What a day!*`), and not if they may be done. Where it goes on in
    small letters they may be more (`*Once upon a time* there was`); what is exclaimed in three stars may also name a
    feeling (`***Wow!***`). `start`, `end`, `begins`: see `is_direction`.
    """
    words = said.split()
    exclaimed = said[-1] in "!?！？"
    said = said.strip("¡¿!?！？")
    if exclaimed and not begins:
        return False
    grammar = grammar_of(languages)
    shouted = exclaimed and look.text[start + 1] in STARS
    if any(is_cjk(ch) for ch in said):
        if shouted:
            feeling = read_direction(said, languages=languages)
            return feeling is None or feeling.gesture is None
        return (not begins or is_cjk(look.at(end))) and grammar.stressed.fullmatch(said) is not None
    if grammar.stressed.fullmatch(said.casefold()):
        return True
    # French "pas" is a step as well, and ends like an English verb: "Ne touche *pas* au four".
    never_done = said.casefold() in grammar.leads_in
    if len(words) > _MOST_TITLE or (grammar.events.fullmatch(said) and not never_done):
        return False
    done = grammar.done
    if any(one.with_subject.match(said) for one in done):
        return False
    verb = any(one.capital_present.match(said) or one.capital_doing.match(said) for one in done)
    may_be_done = not never_done and (
        verb
        or any(one.manner_alone.fullmatch(said) for one in done)
        or (_is_known(said, languages) and not shouted and not grammar.interjection.fullmatch(said))
    )
    if begins:
        after = look.at(look.skip(" \t", end))
        flows = look.at(end).isspace() and after.islower()
        goes_on = flows or look.at(end) in (",", ";") or after in ("!", "?", ":")
        if len(words) > _MOST_STRESSED and not exclaimed and (not flows or _has_verb(words, languages)):
            return False
        return (goes_on or exclaimed) and (said[0].isupper() or shouted) and not may_be_done
    before = look.text[max(0, start - _LOOK_BACK) : start].rstrip()
    leads_in = before.rpartition(" ")[2].lstrip("\"'“‘(").casefold() in grammar.leads_in
    if sum(word[0].isupper() for word in words) > len(words) / 2 and len(words) > 1:
        return leads_in or words[0].casefold() in grammar.articles
    if leads_in:
        # "You *can* do it", "the *big bad wolf*"; but `"Hello," he said *softly*.`
        return len(words) <= _MOST_STRESSED
    return len(words) == 1 and not may_be_done


def _has_verb(words: Iterable[str], languages: Understood) -> bool:
    """Whether one of the words may be a verb by its form: `A soft wind blows`. In some languages any may be."""
    done = grammar_of(languages).done
    return languages.own.emphasis.only_known or any(one.is_verb(word) for one in done for word in words)


def is_known_action(said: str, languages: Understood) -> bool:
    """Whether words between marks that are not used for emphasis (`-waves-`, `/smiles shyly/`) are a direction."""
    bare = said.rstrip(".… 。")
    if not bare or not _is_known(bare, languages):
        return False
    if not any(ch.isspace() for ch in bare):
        return True
    return any(
        one.is_verb(bare) or one.may_be_done(bare) or one.capital_present.match(bare)
        for one in grammar_of(languages).done
    )


def _is_known(words: str, languages: Understood) -> bool:
    """Whether the words tell the body something."""
    return read_direction(words, languages=languages) is not None


def _is_direction_in_small_letters(
    look: Lookahead, end: int, bare: str, bold: bool, line_end: bool, languages: Understood
) -> bool:
    """Whether words in small letters at the beginning of a sentence are a direction."""
    grammar = grammar_of(languages)
    if grammar.said.match(bare):
        return False
    alone = line_end or _begins_anew(look, end)
    single = " " not in bare
    surely = any(one.is_sentence_or_verb(bare) for one in grammar.done if not one.only_known)
    if _is_known(bare, languages):
        if surely or any(one.is_sentence_or_verb(bare) or one.may_be_done(bare) for one in grammar.done):
            return alone or not single or not _goes_on(look, end, grammar)
        # A list may contain key words: `- **happy**`.
        return alone and not (line_end and bold and single)
    if grammar.events.fullmatch(bare):
        return alone
    # The body cannot do it, but it is not spoken either: `_opens the door_ Come in!`
    return surely and alone and not (line_end and (bold or single))


def _is_sentence_of_its_own(
    bare: str, full_stop: bool, bold: bool, line_end: bool, done: _DoneWords, languages: Understood
) -> bool:
    """Whether a line or sentence with a capital tells what is done: `Giggles`, `Coldly.`, `Teddy waves.`"""
    grammar = grammar_of(languages)
    if done.with_subject.match(bare) or done.with_name.match(bare):
        return True
    if not done.capital_nouns and _TITLE.search(bare):
        return False
    if done.capital_doing.match(bare) or done.manner_alone.fullmatch(bare):
        adverb = " " in bare and grammar.adverb_end.search(bare) is not None
        return full_stop or (not bold and (line_end or adverb))
    verb = done.capital_present.match(bare)
    if verb is None:
        return False
    return grammar.body_verbs.match(bare) is not None or _is_known(verb.group(), languages)


def _interrupts(look: Lookahead, start: int, end: int, bare: str, line_end: bool, languages: Understood) -> bool:
    """Whether they are a direction in a sentence (`Well, _giggles_ okay`), and not its verb or noun."""
    grammar = grammar_of(languages)
    present = any(one.present.match(bare) for one in grammar.done)
    if not present and not any(one.doing.match(bare) or one.perhaps.match(bare) for one in grammar.done):
        return False
    if not _is_known(bare, languages):
        return False
    before = look.text[max(0, start - _LOOK_BACK) : start]
    if before[-1:] == "-":
        return False
    before = before.rstrip()
    single = " " not in bare
    anew = line_end or _begins_anew(look, end)
    if before[-1:] in _APART:
        return anew or not single or (present and not _goes_on(look, end, grammar))
    if not present or grammar.before.search(before) or grammar.name_before.search(before):
        return False
    return not single or (not line_end and anew)


def _may_end_unspaced(look: Lookahead, end: int, grammar: Grammar) -> bool:
    """Whether a direction in writing without blanks may end at `end`: a blank or the beginning of speech follows."""
    if look.at(end) in ("", "\n", " ", "\t", "\u3000"):
        return True
    return grammar.speech_begins.match(_word_at(look, end)) is not None


def _begins_anew(look: Lookahead, end: int) -> bool:
    """Whether a blank and the beginning of a sentence follow the marks."""
    if not look.at(end).isspace():
        return False
    ch = look.at(look.skip(" \t", end))
    return not ch or ch.isupper() or is_cjk(ch) or ch in "¡¿\"“„«‘'([*_~\n"


def _goes_on(look: Lookahead, end: int, grammar: Grammar) -> bool:
    """Whether the sentence goes on after the marked word: `**smiles** are free`."""
    if look.at(end) in (",", ";"):
        return True
    return _word_at(look, look.skip(" \t", end)).casefold() in grammar.goes_on


def _word_at(look: Lookahead, start: int) -> str:
    """The word at `start`, or as much of it as is examined."""
    end = start
    while end < start + _LOOK_AHEAD and (ch := look.at(end)) and ch.isalpha():
        end += 1
    return look.text[start:end]
