"""The board's own pins."""
