# What a person types here. Each target first installs what it lacks; once that is done, all of them work offline.

.PHONY: help run test check setup setup-dev schemas firmware flash lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make run      talk with the character; without a sound card, play the demonstration into demo/'
	@echo 'make test     check the code and run every test'
	@echo 'make check    the linter, the formatter and the type checker alone'
	@echo 'make setup    install what is needed to run, and nothing else'
	@echo 'make schemas  write the JSON Schemas of the settings files anew'
	@echo 'make firmware build the firmware of bodies on an Arduino Uno or Nano'
	@echo 'make flash    write it to the board on PORT (/dev/ttyACM0 when not given)'
	@echo 'make lock     pin every Python package anew (needs uv and a network)'
	@echo 'make clean    remove all that was made here, the virtual environment too'

run: setup
	@.venv/bin/companion demo

test: check
	@.venv/bin/python -m pytest

check: setup-dev
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy

setup:
	@sh scripts/setup.sh run

setup-dev:
	@sh scripts/setup.sh test

schemas: setup
	@.venv/bin/python scripts/make_schemas.py

firmware: setup-dev
	@$(MAKE) --no-print-directory -C firmware_bridge/firmware/avr

flash: firmware
	@$(MAKE) --no-print-directory -C firmware_bridge/firmware/avr flash

lock:
	@sh scripts/lock.sh

clean:
	rm -rf .venv demo build firmware_bridge/firmware/avr/build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
