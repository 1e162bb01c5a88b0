"""The parts of the settings files."""
