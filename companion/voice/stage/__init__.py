"""Streamed text in, spoken text and cues out.

stage              the scanner's loop: one token after the other
scanner            tokens, and looking ahead in text that is still arriving
brackets           where `(...)` and `*...*` close
markup             markdown, tags, the speaker's name
labels             lines that begin with a label: `OOC: ...`, `reply: ...`
emphasis           `**`, `_`, `~`, `<i>`
emphasis_grammar   whether emphasised words are said or done
emoji              emoji, emoticons, kaomoji
meaning            what a direction tells the body
lexicon            the words of directions, ready to be looked up
inference          cues from the words themselves, where the model gave none
"""
