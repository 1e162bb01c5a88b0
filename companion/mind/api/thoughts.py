"""What of a streamed answer is meant to be heard: without the model's thoughts, and without its control tokens.

Pure. Templates that servers do not know leave both in the text: `<think>...</think>` and its relatives, a thought whose
opening stood in the prompt (text before a lone `</think>`), the channels of gpt-oss (`<|channel|>analysis<|message|>`),
and signs such as `<|im_end|>`. A control token before the first words is skipped; behind them it ends the answer.
"""

from __future__ import annotations

import re

_NAMES = r"(?:[a-z_]+:)?(?:think|thinking|thoughts?|reasoning|reflection|analysis|inner_thought|scratchpad)"
_TOKEN = re.compile(
    # The opening and the closing of a thought,
    rf"(?P<open><{_NAMES}(?:\s[^<>]{{0,40}})?>|\[think\]|◁think▷|<\|(?:start_thinking|begin_of_thought)\|>)"
    rf"|(?P<close></{_NAMES}\s?>|\[/think\]|◁/think▷|<\|(?:end_thinking|end_of_thought)\|>|<channel\|>)"
    # a channel and its name,
    r"|(?P<channel><\|channel\|?>)"
    # and all other control tokens.
    r"|(?P<control><[|｜][^<>\s]{1,40}[|｜]>|</s>|</?(?:start|end)_of_turn>|<(?:bos|eos|pad|unk|eot|endoftext)>"
    r"|\[/?inst\]|<</?sys>>)",
    re.IGNORECASE,
)
_PARTIAL = re.compile(r"(?:<{1,2}(?:[/|｜a-z][^<>\n]{0,60})?|\[/?[a-z]{0,5}|◁[^▷\n]{0,8})$", re.IGNORECASE)
"""A token of which the end may still come."""
_END_OF_CHANNEL = re.compile(r"<\|(?:end|start|channel|call|return)\|>", re.IGNORECASE)
_LONGEST_TOKEN = 70
_LONGEST_HEADER = 80
_ROLE = re.compile(r"\s*(?:assistant|model)\b[ \t]*:?", re.IGNORECASE)
_BARE_ROLES = ("assistant\n", "analysis")
"""What is left at the beginning where a server has stripped the signs around it."""


class ThoughtFilter:
    """Reads one answer. `feed` it text as it comes, then `close` it."""

    def __init__(self, *, expects_thought: bool = False) -> None:
        """`expects_thought`: this model is known to begin with a thought without an opening."""
        self._text = ""
        """What is not decided yet."""
        self._mode = "begin"
        self._closing: re.Pattern[str] | str = ""
        """What ends the thought."""
        self._waiting: list[str] | None = [] if expects_thought else None
        """What is a thought if its closing comes."""
        self._begun = False
        """Whether something was said."""
        self._after_token = False
        self.has_thought = False
        self.lost_opening = False
        """Whether a thought had no opening."""

    @property
    def is_over(self) -> bool:
        """Whether the turn has ended: nothing that follows is said."""
        return self._mode == "over"

    @property
    def is_thinking(self) -> bool:
        """Whether what comes now is a thought, as far as can be seen."""
        return self._mode in ("thought", "header") or self._waiting is not None

    def feed(self, text: str) -> str:
        """Take the next piece; return what is certain to be said."""
        return self._advance(text, last=False)

    def close(self, *, cut: bool = False) -> str:
        """The answer ends, or was `cut` off; return what was held back."""
        said = self._advance("", last=True)
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return said
        self.has_thought |= cut
        return "" if cut else "".join(waiting).lstrip()

    def _advance(self, text: str, *, last: bool) -> str:
        self._text += text
        out: list[str] = []
        while self._text and self._mode != "over":
            before = len(self._text), self._mode
            match self._mode:
                case "begin":
                    self._begin(last=last)
                case "speech":
                    self._read_speech(out, last=last)
                case "thought":
                    self._read_thought()
                case "header":
                    self._read_header(last=last)
            if before == (len(self._text), self._mode):
                break
        if self._mode == "over":
            self._text = ""
        return "".join(out)

    def _begin(self, *, last: bool) -> None:
        """At the beginning, and behind a control token there: white space and the role are not said."""
        self._text = text = self._text.lstrip()
        lower = text.casefold()
        if not last and any(name.startswith(lower) for name in _BARE_ROLES):
            return
        if self._after_token and not last and any(name.startswith(lower) for name in ("assistant", "model")):
            return
        if self._after_token and (found := _ROLE.match(text)):
            self._text = text[found.end() :].lstrip()
        elif lower.startswith("assistant\n"):
            self._text = text[len("assistant\n") :].lstrip()
        elif re.match(r"analysis[A-Z\"'“\u3040-\u9fff]", text):
            self._think("assistantfinal")
            return
        self._after_token = False
        self._mode = "speech"

    def _read_speech(self, out: list[str], *, last: bool) -> None:
        found = _TOKEN.search(self._text)
        if found is None:
            partial = None if last else _PARTIAL.search(self._text, max(0, len(self._text) - _LONGEST_TOKEN))
            end = partial.start() if partial else len(self._text)
            self._say(self._text[:end], out)
            self._text = self._text[end:]
            return
        before, token = self._text[: found.start()], found.group()
        self._text = self._text[found.end() :]
        if found["close"]:
            if not self.has_thought:
                # Its opening stood in the prompt: what came so far was the thought.
                self.lost_opening = self.has_thought = True
                out.clear()
                self._begun = False
                before = ""
            self._waiting = None
            self._say(before, out)
            if not self._begun:
                self._mode = "begin"
            return
        self._say(before, out)
        if found["open"]:
            self._think(_TOKEN)
        elif found["channel"]:
            self._mode = "header"
            self._closing = _END_OF_CHANNEL if token.endswith("|>") else _TOKEN
        else:
            self._after_token = True
            self._mode = "over" if self._begun or self._waiting else "begin"

    def _read_thought(self) -> None:
        if isinstance(self._closing, str):
            at = self._text.casefold().find(self._closing)
            end = at + len(self._closing) if at >= 0 else -1
        elif self._closing is _TOKEN:
            found = next((one for one in _TOKEN.finditer(self._text) if one["close"]), None)
            end = found.end() if found else -1
        else:
            found = self._closing.search(self._text)
            end = -1
            if found:
                end = found.end() if found.group().casefold() == "<|end|>" else found.start()
        if end < 0:
            self._text = self._text[-_LONGEST_TOKEN:]
        else:
            self._text = self._text[end:]
            self._mode = "speech" if self._begun else "begin"

    def _read_header(self, *, last: bool) -> None:
        """The name of a channel, up to its `<|message|>`; elsewhere up to the end of the line."""
        found = re.search(r"<\|message\|>|\n", self._text)
        if found is None:
            if last or len(self._text) > _LONGEST_HEADER:
                self._think(self._closing)
            return
        name = self._text[: found.start()].strip().casefold()
        self._text = self._text[found.end() :]
        if name.startswith("final"):
            self._mode = "speech" if self._begun else "begin"
        else:
            self._think(self._closing)

    def _think(self, closing: re.Pattern[str] | str) -> None:
        self.has_thought = True
        self._waiting = None
        self._closing = closing
        self._mode = "thought"

    def _say(self, text: str, out: list[str]) -> None:
        if self._waiting is not None:
            self._waiting.append(text)
        elif text := text if self._begun else text.lstrip():
            self._begun = True
            out.append(text)
