# geno_hpo: every target is thin; the work is in the command line `geno-hpo`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NAME ?= inh
TARGET ?=
STUDIES = $(if $(strip $(TARGET)),$(addprefix $(NAME).,$(TARGET)),$(NAME))
export PYTHONUNBUFFERED := 1

.PHONY: help setup study worker status ui dashboard report servers test check slow cluster bench docs lock clean

help: ## show this help
	@echo "geno_hpo: hyperparameter-optimisation experiments for genomic deep learning"
	@echo
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo
	@echo "Start with:  make study NAME=inh"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("geno_hpo needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12 …")'
	@echo "Setting up $(VENV) from requirements.lock (once, a few minutes) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --progress-bar on --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup: $(READY) ## create the environment from the lock file

study: $(READY) ## run a study, or go on with it: make study NAME=inh [TARGET=e2, or TARGET="e1 e2"]
	@set -e; for study in $(STUDIES); do $(BIN)/geno-hpo run $$study $(ARGS); done

worker: $(READY) ## add one worker to a running study: make worker NAME=inh
	@set -e; for study in $(STUDIES); do $(BIN)/geno-hpo worker $$study $(ARGS); done

status: $(READY) ## how far a study is: make status NAME=inh
	@set -e; for study in $(STUDIES); do $(BIN)/geno-hpo status $$study $(ARGS); done

report: $(READY) ## draw a finished study's report again, several targets on one page: make report NAME=inh
	@$(BIN)/geno-hpo report $(STUDIES) $(ARGS)

ui: $(READY) ## open the MLflow page of all studies
	@$(BIN)/geno-hpo ui $(ARGS)

dashboard: $(READY) ## open Optuna's dashboard (needs pip install -e '.[dashboard]')
	@$(BIN)/geno-hpo dashboard $(ARGS)

servers: $(READY) ## start a local PostgreSQL and MLflow server, for trying out docs/cluster.md
	@PYTHON=$(BIN)/python docs/cluster/servers mlruns/servers

test: $(READY) ## run the tests
	@$(BIN)/python -m pytest -m "not slow and not bench and not cluster"

slow: $(READY) ## run the tests that take longer than ten seconds each
	@$(BIN)/python -m pytest -m "slow or bench"

cluster: $(READY) ## kill workers, stop servers, run a Slurm: the tables of docs/reliability.md
	@$(BIN)/python -m pytest -m cluster

check: $(READY) ## everything that must pass: style, types, floors, tests (the long ones: make slow)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -m "not slow and not bench and not cluster"

bench: $(READY) ## measure: benchmarks/ (prints tables, writes JSON)
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(READY) ## build the pages of docs/ into site/ (needs mkdocs-material: pip install -e '.[docs]')
	@$(BIN)/geno-hpo reference docs/reference
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock

clean: ## remove the environment and caches; studies, mlruns and reports stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
