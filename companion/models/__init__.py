"""Speech models and voices: what there is, fetched and checked."""
