# make webui  sets up .venv, then opens the pages at http://127.0.0.1:9874
# make demo   sets up .venv, then trains a small voice on the sample in the repository and speaks with it
# make test   sets up .venv and the environment of separation models, then runs what CI runs: ruff, mypy, pytest
# Only Python 3.10-3.12 and make are needed. Another Python: make demo PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup webui demo test clean

setup: .venv/done

.venv/done: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 12) else f'gsv needs Python 3.10-3.12, and $(PYTHON) is {v[0]}.{v[1]}: make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

webui: setup
	$(BIN)/python webui.py

demo: setup
	$(BIN)/python tools/demo.py

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	-$(BIN)/gsv install uvr5  # Without a network: the tests that need it are skipped, except in CI.
	# The longest files first, or one process would be alone with them in the end.
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests/journeys tests/browser tests

clean:
	rm -rf .venv build *.egg-info
