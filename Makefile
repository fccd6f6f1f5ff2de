# Two commands: `make demo` shows the agent at work, `make test` proves it. Each makes its own virtual environment.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# Without compiled modules on disk, each agent that a test starts would compile them all anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test fix bench chaos soak lock docs clean

demo: $(VENV)/ready
	$(BIN)/sentinel demo

test: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

fix: $(VENV)/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/ready
	$(BIN)/pytest tests -m bench -n 0 -s --timeout 1800

chaos: $(VENV)/ready
	$(BIN)/pytest tests -m chaos -s --timeout 3600
	$(BIN)/pytest --hypothesis-profile new --timeout 3600

soak: $(VENV)/ready
	$(BIN)/pytest tests/soak -m soak -n 0 -s --timeout 14400

docs: $(VENV)/ready
	$(BIN)/python docs/build.py

# Needs uv; the lock carries hashes and no host.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q pyproject.toml --group dev -o requirements-dev.lock

$(VENV)/ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
