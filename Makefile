# make run    starts Inkling in the browser
# make test   runs the whole test suite
# make lint   checks format, style and types        make bench        measures speed and accuracy
# make networks     retrains what ships in assets   make screenshots  takes the README's pictures anew
# make clean        removes the virtual environment and all caches
#
# PYTHON names the interpreter (3.11 or newer) that the virtual environment is made with.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --no-compile -r
COMPILE := $(BIN)/python -m compileall -qq -j 0 .venv/lib || true  # on all cores, where pip takes one; files that are no Python 3 stay
RUN_READY := .venv/.run-ready
DEV_READY := .venv/.dev-ready

.PHONY: run test lint bench networks screenshots clean

run: $(RUN_READY)
	$(BIN)/streamlit run app.py

test: $(DEV_READY)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(DEV_READY)
	$(BIN)/python -m core bench
	$(BIN)/python -m tests.browser.bench_pages
	$(BIN)/python -m tests.browser.bench_studies

networks: $(RUN_READY)
	$(BIN)/python -m core.training.ship

screenshots: $(DEV_READY)
	$(BIN)/python -m tests.browser.screenshots

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Inkling needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN_READY): requirements.txt | .venv/bin/python
	$(INSTALL) requirements.txt
	$(COMPILE)
	@touch $@

$(DEV_READY): requirements.txt requirements-dev.txt | .venv/bin/python
	$(INSTALL) requirements-dev.txt
	$(COMPILE)
	@touch $@ $(RUN_READY)
