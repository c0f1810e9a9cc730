# Two commands on a fresh machine: `make demo` and `make test`. Each first does `make setup`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
FRAMEWORKS := $(VENV)/.frameworks
# one process for each core
TESTS  := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: setup demo test test-slow test-frameworks lint bench clean

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

test-slow: setup
	$(TESTS) -m 'slow and not frameworks'

$(FRAMEWORKS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,frameworks]' -c constraints.txt
	touch $(FRAMEWORKS)

test-frameworks: $(FRAMEWORKS)
	$(TESTS) -m frameworks

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
	$(BIN)/python benchmarks/batched.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
