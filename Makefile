# make demo   a sample scan goes through the real pipeline, and the result is shown
# make run    the same without an end, on ./var
# make test   everything that holds the code to its word
# make mutants  takes protections away, one by one; tests must notice
# make storm  2,000 documents under 200 faults; about 20 minutes, disk faults as root only
# make fuzz   spoilt files of every kind, FUZZ=1000 of each, SEED=1; 2 cores do 8 a second
# make bench  the figures of the README, measured here
# make accuracy  how well real scans are read, beside tesseract and OCRmyPDF; about 3 minutes

SHELL  := /bin/bash
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo run test lint unit mutants storm fuzz bench accuracy lock clean
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

FUZZ ?= 1000

fuzz: $(VENV)/.tests
	WATCHERD_FUZZ=$(FUZZ) WATCHERD_FUZZ_SEED=$(SEED)000000 $(BIN)/pytest -n 2 tests/test_fuzz.py

# What the figures are held against is a dependency of nothing else.
$(VENV)/.peers: $(VENV)/.tests benchmarks/requirements.lock
	$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r benchmarks/requirements.lock
	@touch $@

bench: $(VENV)/.peers
	$(BIN)/python -m benchmarks

accuracy: $(VENV)/.peers
	$(BIN)/python -m benchmarks.accuracy $(ARGS)

# The lock files follow from pyproject.toml.
lock: $(VENV)/.runs
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --upgrade \
	  --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links -c requirements.lock \
	  --all-extras --group dev pyproject.toml -o tests/requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links -c tests/requirements.lock \
	  --group bench pyproject.toml -o benchmarks/requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
