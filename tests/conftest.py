"""What all tests share."""

from __future__ import annotations

import asyncio


def pytest_configure() -> None:
    """Say that there is no event loop outside of tests: looptime would make one for each run and never close it."""
    asyncio.set_event_loop(None)
