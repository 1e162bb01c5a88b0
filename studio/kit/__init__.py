"""The offline kit: everything that a unit needs, in one file."""
