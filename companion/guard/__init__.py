"""The guardian: what may be said, by rules that are data of each language. Pure, and streaming."""
