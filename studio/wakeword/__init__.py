"""Wake words from their spelling: synthetic voices, training, and what a `.ww` file is worth."""
