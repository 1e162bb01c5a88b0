# What a person types here. Each target first installs what it lacks; once that is done, all of them work offline.

.PHONY: help run test bench mutants check check-files check-lint check-format check-types setup setup-dev schemas firmware flash guard kit sbom image image-test lock \
	release clean
.DEFAULT_GOAL := help

help:
	@echo 'make run      talk with the character; without a sound card, play the demonstration into demo/'
	@echo 'make test     check the code and run every test'
	@echo 'make bench    measure it on a virtual sound card: answers, interruptions, idling, start (half an hour)'
	@echo 'make mutants  break the main path in a few hundred places, and count what the tests notice (20 minutes)'
	@echo 'make check    the linter, the formatter, the type checker and a look at the files alone'
	@echo 'make setup    install what is needed to run, and nothing else'
	@echo 'make schemas  write the JSON Schemas of the settings files anew'
	@echo 'make firmware build the firmware of bodies on an Arduino Uno or Nano'
	@echo 'make flash    write it to the board on PORT (/dev/ttyACM0 when not given)'
	@echo 'make guard    train the model that knows what may not be said, from its sentences, in all languages'
	@echo 'make kit      pack all that a unit needs into dist/kit.tar.zst; DEVICE=FILE says for which (needs a network)'
	@echo 'make sbom     write dist/sbom.json: everything in the product that others made (CycloneDX)'
	@echo 'make image    make a card image, dist/companion.img (as root; needs a network)'
	@echo 'make image-test  start that image in an emulated board, cut its power, flash it anew (10 to 30 minutes)'
	@echo 'make lock     pin every Python package anew (needs uv and a network); KEEP=1 keeps the versions that fit'
	@echo 'make release  make a release: VERSION=1.2.0 KEY=FILE of an SSH key; OPTIONS=--dry-run changes nothing'
	@echo 'make clean    remove all that was made here, the virtual environment too'

run: setup
	@.venv/bin/companion demo

test: check
	@.venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile

# BENCHES="turn soak" runs these only.
bench: setup-dev
	@.venv/bin/python -m bench $(BENCHES)

# Not a part of `make test`: it breaks copies of the code under build/mutants.
mutants: setup-dev
	@.venv/bin/python -m bench.mutants

# .pre-commit-config.yaml runs the same four.
check: check-files check-lint check-format check-types

check-files: setup-dev
	@.venv/bin/python scripts/check_files.py

check-lint: setup-dev
	@.venv/bin/python -m ruff check .

check-format: setup-dev
	@.venv/bin/python -m ruff format --check .

check-types: setup-dev
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

guard: setup
	@.venv/bin/python -m studio.guard.training

DEVICE ?= configs/devices/toy.toml

kit: setup-dev
	@mkdir -p dist
	@.venv/bin/companion kit build --device $(DEVICE) --out dist/kit.tar.zst

sbom: setup-dev
	@mkdir -p dist
	@.venv/bin/python -m studio.kit.sbom dist/sbom.json
	@echo 'dist/sbom.json: every Python package of a unit, and every Debian package of the image'

image: setup-dev
	@mkdir -p dist
	@sh image/build.sh --out dist/companion.img

image-test:
	@test -f dist/companion.img || $(MAKE) --no-print-directory image
	@sh image/boot-test.sh dist/companion.img

lock:
	@sh scripts/lock.sh

# VERSION=1.2.0 KEY=FILE, and OPTIONS=--dry-run or --skip-tests
release: setup-dev
	@.venv/bin/python scripts/release.py $(VERSION) $(if $(KEY),--key $(KEY)) $(OPTIONS)

clean:
	rm -rf .venv demo build dist firmware_bridge/firmware/avr/build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
