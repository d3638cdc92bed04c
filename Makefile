# Every target sets up .venv first, once. Needed beforehand: Python 3.11 or newer with venv, make, git.
PYTHON ?= python3
ARGS ?=

.PHONY: help setup demo test lint format clean

help:
	@echo "make demo    show what glyphmix does, end to end"
	@echo "make test    run the tests; choose some with ARGS='-k laws'"
	@echo "make lint    ruff check, ruff format --check, mypy"
	@echo "make format  let ruff sort imports and format"
	@echo "make clean   remove caches and build products (delete .venv by hand for a new environment)"
	@echo "make setup   only create .venv"

setup: .venv/.installed

demo: .venv/.installed
	.venv/bin/glyphmix demo $(ARGS)

test: .venv/.installed
	.venv/bin/python -m pytest $(ARGS)

lint: .venv/.installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: .venv/.installed
	.venv/bin/ruff check --select I --fix .
	.venv/bin/ruff format .

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# --clear, so that an interrupted set-up or a package dropped from the lock leaves nothing behind.
.venv/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "glyphmix needs Python 3.11 or newer, and $(PYTHON) is not. Name one: make PYTHON=python3.11" >&2; exit 1; }
	@echo "Setting up .venv from requirements.lock: about 2 GB, a minute or more."
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --no-deps -r requirements.lock
	@.venv/bin/python -c 'import torch' || { \
	  echo "torch does not start. If it misses a CUDA library, your package index served the CUDA build:" >&2; \
	  echo "set PIP_EXTRA_INDEX_URL to PyTorch's CPU index (see requirements.lock) and run make again." >&2; exit 1; }
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
