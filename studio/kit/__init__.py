"""The offline kit."""
