"""Firmware for boards with MicroPython; `README.md` says how it gets there."""
