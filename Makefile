# make demo   prove the first case and check its certificates
# make test   the tests on all cores, with LaTeX where it is installed
# make lint   style and types
# make docs   the documentation, every warning an error
# make bench  how long the commands take, and how the evaluators compare with JAX and others
# make system Debian packages for LaTeX
# make clean  remove what these commands make

PYTHON ?= python3
BIN := .venv/bin
DEBIAN_PACKAGES := texlive-latex-base texlive-latex-recommended texlive-fonts-recommended lmodern poppler-utils

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint docs bench system clean

demo: .venv/installed
	rm -rf demo
	$(BIN)/piggycheck prove casebook/heavy-ball-1d/case.toml --out demo
	$(BIN)/piggycheck check demo/*.json
	$(BIN)/piggycheck show casebook/heavy-ball-1d/case.toml --latex demo/heavy-ball-1d.tex --figure demo/heavy-ball-1d.pdf
	@echo; echo "The certificate, the derivation and the figure:"; ls demo/* | sed "s|^|  $(CURDIR)/|"

test: system .venv/installed-test
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: .venv/installed-docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: .venv/installed-bench
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/joint_spectral_radius.py
	$(BIN)/python benchmarks/evaluators.py
	$(BIN)/python benchmarks/verified_limit.py
	$(BIN)/python benchmarks/limit_sets.py
	$(BIN)/python benchmarks/rates.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/parameter_maps.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-%: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	touch $@ .venv/installed

system:
	@DEBIAN_PACKAGES="$(DEBIAN_PACKAGES)" PYTHON="$(PYTHON)" sh .ci/system

clean:
	rm -rf .venv demo docs/_build docs/_pictures build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
