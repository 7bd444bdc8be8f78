# Every target makes what it needs, in a virtual environment of its own under .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: quickstart test test-all lint clean

$(INSTALLED): setup.cfg pyproject.toml requirements/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements/constraints.txt --editable '.[test]'
	touch $@

# Runs the RISE loop on the embedded task and model: about ten minutes on two CPU cores.
quickstart: $(INSTALLED)
	$(BIN)/rise run --config examples/quickstart.yaml

# Style, types, and every test that is not marked slow.
test: lint
	$(BIN)/python -m pytest

# The slow tests as well.
test-all: lint
	$(BIN)/python -m pytest -m 'not gpu and not network'

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build *.egg-info
