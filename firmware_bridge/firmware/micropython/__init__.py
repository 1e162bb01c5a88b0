"""Firmware for boards with MicroPython; `README.md` says how to install it."""
