PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check fix bench clean
# every target below works from a bare clone

$(VENV)/.installed: pyproject.toml deploy/requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement deploy/requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

run: $(VENV)/.installed  ## the main job: a demo population on an embedded bus
	$(BIN)/coflex run --demo --out results

check: $(VENV)/.installed  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(VENV)/.installed  ## all tests
	$(BIN)/pytest

bench: $(VENV)/.installed  ## ratios against the bare bus, in one run
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) results
