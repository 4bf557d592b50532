# make demo   a sample scan goes through the real pipeline, and the result is shown
# make run    the same without an end, on ./var
# make test   everything that holds the code to its word
# make mutants  takes protections away, one by one; tests must notice
# make storm  2,000 documents under 200 faults; about 20 minutes, disk faults as root only
# make bench  the figures of the README, measured here

SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo run test lint unit mutants storm bench lock clean
.DELETE_ON_ERROR:

$(VENV)/.runs: requirements.lock pyproject.toml deploy/setup
	PYTHON=$(PYTHON) deploy/setup run $(VENV)
	@touch $@

$(VENV)/.tests: $(VENV)/.runs tests/requirements.lock
	PYTHON=$(PYTHON) deploy/setup test $(VENV)
	@touch $@

demo: $(VENV)/.runs
	@$(BIN)/python deploy/demo.py

run: $(VENV)/.runs
	@test -e var/config.toml || $(BIN)/watcherd init --dir var --output var/config.toml </dev/null
	@echo "Drop scans into $$PWD/var/inbox; searchable PDFs come out in $$PWD/var/outbox. Ctrl-C ends it."
	@$(BIN)/watcherd --config var/config.toml up

test: lint unit

lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.tests
	$(BIN)/pytest -n 2 --dist loadfile

SEED ?= 1

mutants: $(VENV)/.tests
	$(BIN)/python tests/mutants.py

storm: $(VENV)/.tests
	cd tests && ../$(BIN)/python -m storm --documents 2000 --faults 200 --seed $(SEED)

bench: $(VENV)/.tests
	$(BIN)/python -m benchmarks

# The lock files follow from pyproject.toml.
lock: $(VENV)/.runs
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --upgrade \
	  --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links -c requirements.lock \
	  --all-extras --group dev pyproject.toml -o tests/requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
