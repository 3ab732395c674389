# Everything a developer or CI runs. Each target sets up what it needs; nothing needs root.
# `make demo` and `make test` are the README's two commands.

PYTHON ?= $(shell for v in python3.11 python3.12 python3.13 python3; do \
	$$v -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$v && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FOLDERS := runtime train export benchmarks

.PHONY: help setup test lint types format

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(READY) ## Make .venv and install the kit with all its extras

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "genrekit needs Python 3.11 or newer: set PYTHON=/path/to/python3"; exit 1; }
	@echo "== setting up $(VENV) with $(PYTHON) (about 5 GB, a few minutes; once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all]'
	@touch $@

lint: $(READY) ## Check style and formatting
	@echo "== lint"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Check types, strictly
	@echo "== types"
	@# mypy does not follow setuptools' editable hook: show it the same namespace as links.
	@mkdir -p build/typing/genrekit
	@for folder in $(FOLDERS); do ln -sfn ../../../$$folder build/typing/genrekit/$$folder; done
	$(BIN)/mypy $(addprefix -p genrekit.,$(FOLDERS))

format: $(READY) ## Rewrite files in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
