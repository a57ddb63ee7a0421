# make app     install what is missing, then open the app in a browser        make app PORT=8502
# make test    the same for developers, then lint, types and tests            make test JOBS=0 ARGS="tests/test_store.py -k cap"
# make lint    style and types alone          make format   repair what can be repaired
# make bench   the speed table of the README  make clean    remove .venv and caches (never runs/, never your data)

PYTHON  ?= python3
VENV    ?= .venv
PORT    ?= 8501
ADDRESS ?= localhost
ARGS    ?=
# Tests run in so many processes, each file in one of them; most of a test is one thread or waiting.
JOBS    ?= 2

PY  := $(VENV)/bin/python
# uv installs in a third of pip's time. Where it cannot, as behind an index that only pip was told of, pip does it.
# CI keeps no copies of what it fetched, which would take another gigabyte of its disk, and compiles what it imports only.
PIP     := $(PY) -m pip --disable-pip-version-check $(if $(CI),--quiet --no-cache-dir) install $(if $(CI),--no-compile)
UV      := $(VENV)/bin/uv pip install --python $(PY) $(if $(CI),--quiet --no-cache)
install  = { $(PIP) --quiet 'uv<1' && $(UV) --requirement $(1); } || $(PIP) --requirement $(1)

.DEFAULT_GOAL := help
.PHONY: help app test lint format bench clean

help:
	@sed -n '/^# make/s/^# //p' $(MAKEFILE_LIST)

app: $(VENV)/.app-installed
	$(PY) -m streamlit run streamlit_app.py --server.port=$(PORT) --server.address=$(ADDRESS) $(ARGS)

test: lint
	$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.dev-installed
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

format: $(VENV)/.dev-installed
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

bench: $(VENV)/.dev-installed
	$(PY) -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# A half-made environment is removed again: the next run would take it for a whole one.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Python 3.11, 3.12 or 3.13 is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another one:" >&2; \
		echo "    make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The stamps are newer than the lists they stand for as long as nothing in those changed: a second run installs nothing.
$(VENV)/.app-installed: requirements.txt | $(PY)
	@echo "Installing the packages (about 4 GB on disk, some minutes, only this once) ..."
	$(call install,requirements.txt)
	@touch $@

$(VENV)/.dev-installed: requirements-dev.txt requirements.txt | $(PY)
	@echo "Installing the packages for developers (about 4 GB on disk, some minutes, only this once) ..."
	$(call install,requirements-dev.txt)
	@touch $@ $(VENV)/.app-installed
