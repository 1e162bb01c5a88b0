"""Sound card, sound files, samples."""
