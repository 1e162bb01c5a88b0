"""A pytest plugin for `bench.mutants`: while mutmut learns which test calls what, no test finds what another has made.

Words and patterns are made of the language files once in a process. Without this, only the first test that needs them
would be known to call what makes them, and no other would be asked about a mutant there.
"""

from __future__ import annotations

import functools
import gc
import os

import pytest

_CACHED = type(functools.cache(len))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what the product's functions have kept."""
    del item
    if os.environ.get("MUTANT_UNDER_TEST") != "stats":
        return
    for one in gc.get_objects():
        if isinstance(one, _CACHED) and str(getattr(one, "__module__", "")).startswith("companion."):
            one.cache_clear()
