"""Where the tests find things."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
CONFIGS = ROOT / "configs"
DATA = ROOT / "tests" / "data"
"""Small models made for testing, and published samples."""
GOLDEN = ROOT / "tests" / "golden"
SHARED = ROOT.parent / "shared"
"""What every developer has beside the checkout; tests that need it skip where it is absent."""
