# Needs Python >= 3.11, make and git; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
PIP := $(BIN)/python $(PIP_INSTALL) --constraint constraints.txt
# The oldest Python, for the oldest versions of everything else but torch.
LOWEST_PYTHON ?= python3.11
LOWEST := .venv-lowest

.PHONY: demo test quick lowest lint bench docs clean

demo: $(VENV)/demo.installed
	$(BIN)/python examples/plot_margin_search.py

test: $(VENV)/test.installed
	$(BIN)/python -m pytest -n 2

quick: $(VENV)/test.installed
	$(BIN)/python -m pytest -n 2 -m quick

# What is only torch's is left out: its version is the same in both environments.
lowest: $(LOWEST)/installed
	$(LOWEST)/bin/python -m pytest -n 2 $(foreach folder,losses engine nn gpu benchmarks,--ignore-glob="*/$(folder)/*")

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/bench.installed
	$(BIN)/python -m benchmarks

# Runs the examples, for some minutes; SPHINXOPTS="-D plot_gallery=0" leaves their pictures out.
docs: $(VENV)/docs.installed
	$(BIN)/sphinx-build -W --keep-going $(SPHINXOPTS) docs docs/_build/html

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# One stamp an extra: a later target adds to the environment and never rebuilds it. torch comes first, by its pinned
# version, so that no other package can pull a larger build of it.
$(VENV)/demo.installed: EXTRA = plot
$(VENV)/test.installed: EXTRA = test
$(VENV)/bench.installed: EXTRA = bench
$(VENV)/docs.installed: EXTRA = docs
$(VENV)/%.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) torch
	$(PIP) --editable ".[$(EXTRA)]"
	touch $@

$(LOWEST)/installed: pyproject.toml constraints.txt tools/lowest.py
	$(LOWEST_PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python $(PIP_INSTALL) --constraint constraints.txt torch packaging
	$(LOWEST)/bin/python tools/lowest.py > $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python $(PIP_INSTALL) --requirement $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python $(PIP_INSTALL) --no-deps --editable .
	touch $@

clean:
	rm -rf $(VENV) $(LOWEST)
