# The verbs of the house. `make demo` and `make test` set themselves up; the environment is .venv.
PYTHON ?= python3
DATA ?= .tunesmith
BIN := .venv/bin
PROTO := $(wildcard proto/tunesmith/v1/*.proto)

.PHONY: help demo up down test check proto translations matrix bench clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tunesmith needs Python 3.11 or newer; name one with make PYTHON=…"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[control-plane,agent,postgresql,dev]'
	@touch $@

demo: .venv/.ready ## the shipped case on a real model: import, train, evaluate, package, deploy, one answer
	@$(BIN)/tunesmith demo --data $(DATA)

up: .venv/.ready ## control plane and agent, kept running for the browser (Ctrl-C stops them)
	@$(BIN)/tunesmith up --data $(DATA)

down: .venv/.ready ## stop what a detached `tunesmith up` left running
	@$(BIN)/tunesmith down --data $(DATA)

test: check ## every test; what is missing on this machine is a skip with its reason
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not journey"
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m journey

check: .venv/.ready ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet web/templates
	$(BIN)/codespell

proto: .venv/.ready ## regenerate the wire contract's Python
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=proto --pyi_out=proto --grpc_python_out=proto $(PROTO)

translations: .venv/.ready ## collect the texts and compile the catalogues
	$(BIN)/pybabel extract --no-location --omit-header --sort-output -F babel.cfg -o control_plane/translations/messages.pot .
	$(BIN)/pybabel update --no-fuzzy-matching --ignore-pot-creation-date -i control_plane/translations/messages.pot -d control_plane/translations
	$(BIN)/pybabel compile -d control_plane/translations

matrix: .venv/.ready ## each training method on the tiny model, over two machines, to a served answer: a table
	PYTHONPATH=.:proto:tests $(BIN)/python tests/matrix.py

bench: .venv/.ready ## the figures of docs/developers/benchmarks.md (after `make demo`)
	$(BIN)/python tests/benchmarks/overhead.py
	$(BIN)/python tests/benchmarks/gateway.py
	$(BIN)/python tests/benchmarks/fleet.py

clean: ## everything that these verbs made, the demo's data included
	rm -rf .venv .cache $(DATA)
