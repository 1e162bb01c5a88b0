"""What runs on the microcontroller: `avr` in C, `micropython` in Python (which the simulator runs too)."""
