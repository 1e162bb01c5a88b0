"""Stage directions and cues out of streamed text."""
