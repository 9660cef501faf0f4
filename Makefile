# Every target sets itself up: a virtual environment in .venv, filled once per change of
# pyproject.toml or constraints.txt. PYTHON=/path/to/python3.12 chooses the interpreter.

VENV ?= .venv
RUN := $(VENV)/bin/python
ifndef PYTHON
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$name; exit; fi; done; echo python3)
endif
DIGEST := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
READY := $(VENV)/.installed-$(DIGEST)
DATA ?=

# One thread a numerical library: two of them at once on two cores are slower than one.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install demo stop serve test check compiling bench format format-check lint types fences links clean

help: ## show this help
	@echo "Sanderling: a decision service whose every event changes the next answer."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Start with 'make demo'. PYTHON=... chooses the interpreter (3.11 or newer)."

install: $(READY) ## make .venv and fill it with everything (serve, train, demo, dev)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is not." >&2; \
		echo "Name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV) || { \
		echo "No virtual environment could be made (on Debian: apt-get install python3-venv)." >&2; \
		rm -rf $(VENV); exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		".[serve,train,demo,dev]"
	@rm -rf build sanderling.egg-info $(VENV)/.installed-*
	@$(RUN) -c 'import implicit' || { \
		echo "implicit needs the OpenMP runtime (Debian: apt-get install libgomp1;" >&2; \
		echo "macOS: brew install libomp)." >&2; exit 1; }
	@touch $@

demo: $(READY) ## the whole circle on real data, told as it happens (DATA=path: on your own log)
	@$(RUN) -m demo $(if $(DATA),--data "$(DATA)")

stop: $(READY) ## stop what `make demo` left running
	@$(RUN) -m demo --stop

serve: $(READY) ## start the service (http://127.0.0.1:8000; needs no database, no model)
	@$(RUN) -m service

test: $(READY) ## run the tests
	@$(RUN) -m pytest -q

check: compiling format-check lint types fences links test ## everything a change must pass, tests last

compiling: $(READY)
	@# In a fresh checkout no kernel is compiled yet: another core begins while types are checked.
	@$(RUN) deploy/warm.py >/dev/null 2>&1 &

bench: $(READY) ## run every benchmark and write benchmarks/RESULTS.md (DATA=folder of logs, ONLY=names)
	@$(RUN) -m benchmarks all $(if $(DATA),--data "$(DATA)") $(if $(ONLY),--only "$(ONLY)")

format: $(READY) ## rewrite the code in the house style
	@$(RUN) -m ruff format --quiet .
	@$(RUN) -m ruff check --quiet --fix-only .

format-check: $(READY)
	@$(RUN) -m ruff format --check --quiet . || { echo "Run 'make format'." >&2; exit 1; }

lint: $(READY) ## ruff
	@$(RUN) -m ruff check --quiet .

types: $(READY) ## pyright (strict on domain, feature_store, service)
	@$(VENV)/bin/pyright --pythonpath $(RUN)

fences: $(READY) ## import-linter: who may import whom
	@$(VENV)/bin/lint-imports --no-logo

links: $(READY) ## every link and path in the documents leads somewhere
	@$(RUN) -m pytest -q tests/architecture/test_documents.py

clean: ## remove what can be made again (not var: it holds your data)
	rm -rf build dist sanderling.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
