# Two commands matter: `make lab` opens the course, `make test` proves it. Both set themselves up on first use.
# Settings: PYTHON=python3.12 picks the interpreter; TINYSTORIES=PATH adds the tests that need real text.

PYTHON ?= python3
BIN := .venv/bin
TINYSTORIES ?=
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)

.PHONY: setup lab test course notebooks mutants
.DEFAULT_GOAL := lab

setup: .venv/.installed

# The stamp is newer than the files that name the packages, so a second run has nothing to do.
.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"minilm needs Python 3.11 or newer; $(PYTHON) is {sys.version.split()[0]}. Try: make setup PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@if command -v uv > /dev/null; then \
		echo 'uv pip install -c constraints.txt -e ".[test]"'; VIRTUAL_ENV=.venv uv pip install -c constraints.txt -e ".[test]"; \
	else \
		echo 'pip install -c constraints.txt -e ".[test]"'; $(BIN)/python -m pip install -c constraints.txt -e ".[test]"; \
	fi
	@touch $@

lab: setup
	@$(BIN)/jupyter trust notebooks/*.ipynb > /dev/null
	$(BIN)/jupyter lab $(LAB_OPTIONS) notebooks/00_start_here.ipynb

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(if $(TINYSTORIES),--tinystories=$(TINYSTORIES)) $(PYTEST_OPTIONS)

course: setup
	$(BIN)/python notebooks/publish.py build/course

notebooks: setup
	$(BIN)/python notebooks/build.py

mutants: setup
	$(BIN)/python tests/mutants.py
