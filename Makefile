# Every target works from a bare clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKS := deploy/requirements

# Every package has a hash in its lock, the programs that install and build packages too. A lock is complete, so nothing
# is resolved; bytecode is compiled when a module is first imported, not for whole packages. The pip that is there already
# installs uv, which fetches and unpacks side by side what pip does one after another. Where uv has no build, or reaches
# no index because only pip is told of one, pip installs everything.
PIP = $(if $(wildcard $(VENV)/.own-pip),$(BIN)/python -m pip,$(PYTHON) -m pip --python $(BIN)/python) --quiet --disable-pip-version-check install --no-compile
UV = $(BIN)/uv pip install --quiet --python $(BIN)/python
OPTIONS := --no-deps --no-build-isolation
install = { test -x $(BIN)/uv && $(UV) $(OPTIONS) $(1); } || $(PIP) $(OPTIONS) $(1)

# The first import of a module leaves its bytecode for the hundreds of processes that follow, whatever this shell prefers.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-thorough compose-test check fix fuzz chaos storms soak bench docs locks image-digests mutants clean

# -- environments: one folder, from a run's few packages up to everything -------------------------

$(VENV)/.made:
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python --version >/dev/null 2>&1 || { $(BIN)/python -m ensurepip >/dev/null && touch $(VENV)/.own-pip; }
	touch $@

$(VENV)/.installer: $(LOCKS)/installer.lock $(VENV)/.made
	$(PIP) --no-deps --require-hashes --requirement $(LOCKS)/installer.lock || echo "no uv here: pip installs"
	touch $@

$(VENV)/.build: $(LOCKS)/build.lock $(VENV)/.installer
	$(call install,--require-hashes --requirement $(LOCKS)/build.lock)
	touch $@

$(VENV)/.packages: $(LOCKS)/run.lock $(VENV)/.build
	$(call install,--require-hashes --requirement $(LOCKS)/run.lock)
	touch $@

$(VENV)/.run: pyproject.toml $(VENV)/.packages
	$(call install,--no-index --editable .)
	touch $@

$(VENV)/.dev: $(LOCKS)/dev.lock $(VENV)/.run
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	$(call install,--require-hashes --requirement $(LOCKS)/dev.lock)
	touch $@

$(VENV)/.compose-test: $(LOCKS)/compose-test.lock $(VENV)/.dev
	$(call install,--require-hashes --requirement $(LOCKS)/compose-test.lock)
	touch $@

# The first import compiles everything that a run needs; that is done beside the installation of this project.
$(VENV)/.compiled: $(VENV)/.packages
	PYTHONPATH=. $(BIN)/python -c 'import orchestrator.cli.run'
	touch $@

# -- the main job ---------------------------------------------------------------------------------

run:  ## a demo population on an embedded bus; the environment first, and the seconds of both
	@began=$$(date +%s) && $(MAKE) --jobs 2 --no-print-directory $(VENV)/.run $(VENV)/.compiled && installed=$$(date +%s) \
		&& $(BIN)/coflex run --demo --out results --force && ended=$$(date +%s) \
		&& echo "Seconds: $$((installed - began)) to install, $$((ended - installed)) to run"

# -- development ----------------------------------------------------------------------------------

check: $(VENV)/.dev  ## format, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: $(VENV)/.dev  ## format, and correct what the linter can correct
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

PYTEST := $(BIN)/pytest -rs -n auto --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev  ## the tests; the reason for each skipped one is printed
	$(PYTEST) -m "not thorough"

test-thorough: $(VENV)/.dev  ## the tests that take long and try once more what others try; CI runs them too
	$(PYTEST) -m thorough

compose-test: $(VENV)/.compose-test  ## docker-compose.yml in a real Docker Engine; prints why where none can run
	$(BIN)/python -m pytest --docker -m docker -rs --durations=5 tests/documents/test_compose.py

fuzz: $(VENV)/.dev  ## hostile messages to every machine; EXECUTIONS=200000 for less than the ten million
	$(BIN)/python -W error -m tests.fuzz $(EXECUTIONS)

chaos: storms  ## real runs whose parts are killed, stopped, cut off, after simulated ones; SCHEDULES=60 for fewer
	$(BIN)/python -m tests.chaos $(SCHEDULES)

storms: $(VENV)/.dev  ## 100,000 simulated schedules of crashes, losses and repetitions; COFLEX_SEEDS=10000 for fewer
	COFLEX_SEEDS=$${COFLEX_SEEDS:-25000} $(PYTEST) -m storm

soak: $(VENV)/.dev  ## 500 runs of standing parts and 30 minutes of runs back to back: nothing may grow
	$(BIN)/python -m tests.soak

bench: $(VENV)/.dev  ## the cost of a run as multiples of the bare bus, in one process, beside the last measurement
	$(BIN)/python -m tests.bench

mutants: $(VENV)/.dev  ## do the tests notice when a deciding module is changed? ONLY=matchmaker for one group or file
	$(BIN)/python -m tests.mutation $(ONLY)

docs: $(VENV)/.dev  ## the site with the documentation and the Python reference, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# -- what is pinned -------------------------------------------------------------------------------

# dev.lock holds everything; the others hold parts of it, in the same versions. UPGRADE=--upgrade takes the newest.
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--quiet --no-header --no-annotate --no-emit-index-url $(UPGRADE)
PARTS := --constraint $(LOCKS)/dev.lock --output-file $(LOCKS)

locks: $(VENV)/.dev  ## the locks again, after a change of the dependencies in pyproject.toml
	$(COMPILE) --extra dev --group build --output-file $(LOCKS)/dev.lock
	$(COMPILE) $(PARTS)/run.lock
	$(COMPILE) --extra report $(PARTS)/report.lock
	$(COMPILE:pyproject.toml=) --group build $(PARTS)/build.lock
	$(COMPILE:pyproject.toml=) --group installer $(PARTS)/installer.lock
	$(COMPILE:pyproject.toml=) --group compose-test $(PARTS)/compose-test.lock

image-digests:  ## the public images, pinned by digest in .env, which docker compose reads; needs a registry
	deploy/image-digests.sh >.env.new
	mv .env.new .env

clean:
	rm -rf $(VENV) results site .mutants
