PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test compose-test check fix bench mutants docs clean
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

$(VENV)/.docker-tools: $(VENV)/.installed tests/documents/docker/requirements.txt
	$(BIN)/python -m pip install --quiet --constraint deploy/requirements.lock --requirement tests/documents/docker/requirements.txt
	touch $@

compose-test: $(VENV)/.docker-tools  ## docker-compose.yml in a real Docker Engine; says why where none can run
	$(BIN)/python -m pytest --docker -m docker -rs --durations=5 tests/documents/test_compose.py

bench: $(VENV)/.installed  ## ratios against the bare bus, in one run, beside the last ones
	$(BIN)/python -m tests.bench

mutants: $(VENV)/.installed  ## do the tests notice when a deciding module is changed? ONLY=matchmaker for one group or file
	$(BIN)/python -m tests.mutation $(ONLY)

docs: $(VENV)/.installed  ## the site with the documentation and the reference, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

clean:
	rm -rf $(VENV) results site .mutants
