# Two commands: `make up` (the stack on the real engine, in a local cloud) and `make test`.
STACK ?= dev
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
TOOLCHAIN := $(PY) -m sandbox.toolchain
READY := $(VENV)/.ready

export STACK

.PHONY: up preview refresh destroy env test lint bench clean requirements help
help:
	@echo "make up | preview | refresh | destroy | env   [STACK=$(STACK)]"
	@echo "make test | lint | bench | clean | requirements"

up preview refresh destroy: $(READY)
	@$(TOOLCHAIN) $@

# eval "$$(make -s env)", then call pulumi by hand
env: $(READY)
	@$(TOOLCHAIN) env

test: $(READY)
	@$(TOOLCHAIN) setup
	@$(PY) -m pytest -n auto

lint: $(READY)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/basedpyright
	@$(VENV)/bin/lint-imports

bench: $(READY)
	@$(TOOLCHAIN) setup
	@$(PY) -m tests.bench

clean:
	@if [ -x $(PY) ]; then $(TOOLCHAIN) clean; fi
	@rm -rf $(VENV)

# Compile the short lists into pinned and hashed ones.
requirements: $(READY)
	@$(VENV)/bin/pip install -q uv==0.13.9
	@for list in requirements requirements-dev; do \
	  $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $$list.in -o $$list.txt || exit 1; done

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is older than 3.11; install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "tenantry: installing pinned requirements into $(VENV): once, about a minute" >&2
	@[ -x $(PY) ] || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
