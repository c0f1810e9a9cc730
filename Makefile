# Two commands on a fresh machine: `make demo` and `make test`. Each first does `make setup`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
FRAMEWORKS := $(VENV)/.frameworks
# what the tests in a browser bring along; the browser itself is Debian's chromium
AXE := $(VENV)/node/node_modules/axe-core/axe.min.js
# one process for each core
TESTS  := $(BIN)/python -m pytest -n auto --dist worksteal
# one more where tests wait much for processes that they started
SLOW   := $(BIN)/python -m pytest -n $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)') --dist worksteal

.PHONY: setup demo test test-slow test-frameworks test-browser test-elsewhere test-long lint bench docs clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Seedwise needs Python 3.11 or later; name one: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	touch $(STAMP)

demo: setup
	$(BIN)/seedwise demo people

test: setup
	$(TESTS)

$(AXE):
	npm install --silent --no-audit --no-fund --prefix $(VENV)/node axe-core@4.14.1 || echo "axe-core was not installed: the tests in a browser fail without it"

test-slow: setup
	$(SLOW) -m 'slow and not frameworks and not browser and not elsewhere and not long'

# a page in Chromium, with axe-core from npm
test-browser: setup $(AXE)
	$(TESTS) -m browser tests/reports

# runs by workers, on Slurm, Dask and Ray, which the tests start; a file in one process, for there is one Slurm. Without Slurm: ELSEWHERE='elsewhere and not slurm'
ELSEWHERE := elsewhere
test-elsewhere: $(FRAMEWORKS)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m '$(ELSEWHERE)' tests/elsewhere

# minutes each: before a release
test-long: $(FRAMEWORKS)
	$(TESTS) -m long

$(FRAMEWORKS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,frameworks]' -c constraints.txt
	touch $(FRAMEWORKS)

test-frameworks: $(FRAMEWORKS)
	$(SLOW) -m 'frameworks and not elsewhere and not long'

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin --no-tips --violations --backport dataclasses -t=3.9- --eval-annotations src/seedwise_guest

bench: setup
	$(BIN)/python benchmarks/runner.py
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/decisions.py
	$(BIN)/python benchmarks/statistics.py
	$(BIN)/python benchmarks/tables.py
	$(BIN)/python benchmarks/check.py
	$(BIN)/python benchmarks/commandline.py
	$(BIN)/python benchmarks/sources.py
	$(BIN)/python benchmarks/batched.py
	$(BIN)/python benchmarks/cluster.py
	$(BIN)/python benchmarks/pictures.py

# the documentation as a site in site/: strict, and the tutorial's commands are run for its report
docs: setup
	$(BIN)/python docs/builder site

clean:
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache
