"""From cues to light and motion: choreography, timeline, limits, and what draws or drives it."""
