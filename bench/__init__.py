"""Measurements of the whole daemon; `docs/measurements.md` holds their results."""
