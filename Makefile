# Everything a developer or CI runs. Each target sets up what it needs; nothing needs root.
# `make demo` and `make test` are the README's two commands.

PYTHON ?= $(shell for v in python3.11 python3.12 python3.13 python3; do \
	$$v -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$v && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo packaged-models test lint types pytest test-arm64 test-browser android fuzz reliability bench endurance ci format

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

demo: $(READY) ## The main job, end to end, on composed music (about 10 minutes)
	$(BIN)/python -m genrekit.benchmarks.demo --out build/demo

GTZAN ?= ../shared/data/gtzan
packaged-models: $(READY) ## Fit the models inside the wheel anew (GTZAN=folder, espeak-ng; minutes)
	$(BIN)/python -m genrekit.export.commands.packaged_models --data $(GTZAN) \
		--out runtime/artifact/models --log benchmarks/results --work build/packaged_models

test: lint types pytest ## Lint, types, all Python tests

lint: $(READY) ## Check style and formatting
	@echo "== lint"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Check types, strictly
	@echo "== types"
	@# mypy and import-linter do not follow setuptools' editable hook: show them the package as links.
	@rm -rf build/typing && mkdir -p build/typing/genrekit
	@for entry in runtime/* train export benchmarks; do ln -s ../../../$$entry build/typing/genrekit/; done
	$(BIN)/mypy -p genrekit
	PYTHONPATH=build/typing $(BIN)/lint-imports --no-cache

# A skip fails in CI: there, nothing may be missing.
pytest: $(READY) ## All Python tests that need no system package
	@echo "== tests"
	$(BIN)/pytest -n 2 --dist loadfile -m "not arm64 and not browser" $(if $(CI),--strict-skips)

test-arm64: $(READY) ## The wheel on emulated Raspberry Pis (needs qemu-user-static; see .ci/run)
	@echo "== emulated Raspberry Pis"
	$(BIN)/pytest -m arm64 tests/emulated $(if $(CI),--strict-skips)

test-browser: $(READY) ## The report page in headless Chromium (needs chromium, chromium-driver, npm)
	@echo "== report page in Chromium"
	npm install --no-save --silent --prefix build/browser axe-core@4
	$(BIN)/pytest -m browser tests/browser $(if $(CI),--strict-skips)

android: $(READY) ## Build, test and sign the Android demo's APK (packages: see android_demo/README.md)
	@echo "== Android demo"
	PYTHON=$(CURDIR)/$(BIN)/python OMP_NUM_THREADS=1 android_demo/build.sh

MINUTES ?= 1
fuzz: $(READY) ## Fuzz the parsers, starting from the corpus (MINUTES=1)
	@echo "== fuzzing for $(MINUTES) minutes"
	$(BIN)/python tests/fuzz/fuzz.py --minutes $(MINUTES) --json build/fuzz/figures.json

reliability: $(READY) ## Fuzz, kill, fill disks; add to benchmarks/results (MINUTES=30; root)
	$(BIN)/python tests/fuzz/fuzz.py --minutes $(MINUTES) --json benchmarks/results/fuzz.json
	$(BIN)/python -m genrekit.benchmarks.reliability.fault_injection --minutes $(MINUTES) --seed $$$$ --json benchmarks/results/kills.json
	$(BIN)/python -m genrekit.benchmarks.reliability.full_disk --json benchmarks/results/disks.json
	$(BIN)/python -m genrekit.benchmarks.reliability.case_counts --json benchmarks/results/cases.json
	$(BIN)/python -m genrekit.benchmarks.reliability.summary

DEMO ?= build/demo
bench: $(READY) ## Measure this machine into benchmarks/results (needs make demo's artifacts)
	$(BIN)/python -m genrekit.benchmarks.suite.run_all $(DEMO)

endurance: $(READY) ## Measure a day of live sound and a file of ten hours into benchmarks/results
	$(BIN)/python -m genrekit.benchmarks.suite.run_all --endurance

ci: test fuzz test-arm64 test-browser android ## Everything that CI runs

format: $(READY) ## Rewrite files in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
