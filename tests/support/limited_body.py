"""A small body for the tests of its limits, at rest and in the dark, and wild values to ask of it."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from companion.config.body import ChannelSettings

CHANNELS = {
    "glow": ChannelSettings(kind="light"),
    "head": ChannelSettings(kind="servo", low=-45, high=30, neutral=5, fastest=300, acceleration=3000),
    "wheels": ChannelSettings.model_validate({"kind": "motor"}),
    "mouth": ChannelSettings.model_validate({"kind": "mouth"}),
}


REST = {"head": 5.0, "wheels": 0.0, "mouth": 0.0}


DARK = (0.0, 0.0, 0.0)


WILD = st.one_of(st.floats(), st.floats(-100, 300), st.sampled_from([math.nan, math.inf, -math.inf, 1e308]))
