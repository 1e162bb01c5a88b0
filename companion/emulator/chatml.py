"""A conversation as the model reads it: ChatML, counted to the token (section 3.2 of the service's specification).

Pure. An open prefix (`partial`) is an assistant's turn that is not closed: it counts as prompt. What ends an answer,
`<|im_end|>`, is not counted anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from companion.emulator.request import Message
from companion.emulator.vocabulary import END, START, Tokens


def prompt_tokens(tokens: Tokens, messages: Sequence[Message]) -> list[int]:
    """The tokens that the model is given."""
    prompt: list[int] = []
    line_end = tokens.encode("\n")
    for message in messages:
        prompt.append(START)
        prompt += tokens.encode(f"{message.role}\n{message.content}")
        if not message.partial:
            prompt.append(END)
            prompt += line_end
    if not messages[-1].partial:
        prompt.append(START)
        prompt += tokens.encode("assistant\n")
    return prompt
