# Every target sets up what it needs in .venv. A fresh machine needs git, make and Python 3.11 or newer.

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALL := $(PYTHON) -m pip --quiet --disable-pip-version-check install
# The newest of these that works makes .venv; `make BASE_PYTHON=...` puts another one first.
BASE_PYTHONS := $(BASE_PYTHON) python3.13 python3.12 python3.11 python3

# Each stamp is newer than pyproject.toml while what it stands for is installed.
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
DOCS := $(VENV)/.installed-docs
DIST := $(VENV)/.installed-dist
FUZZ := $(VENV)/.installed-fuzz

# pdoc, build and atheris are used by one target each, so nothing else installs them.
DOCS_TOOLS := pdoc==16.0.0 a2wsgi  # wsgi.py has its types
DIST_TOOLS := build==1.6.1
FUZZ_TOOLS := atheris~=3.0  # for Linux

# Seconds for each target of `make fuzz`, and which: gob, yamux, netrpc, stock or all.
FUZZ_S := 600
FUZZ_TARGET := all

PUBLIC_MODULES := $(patsubst runtime/mattermost_plugin/%.py,%,$(wildcard runtime/mattermost_plugin/[a-z]*.py))
DOCUMENTED := mattermost_plugin $(PUBLIC_MODULES:%=mattermost_plugin.%) \
	mattermost_plugin.devhost mattermost_plugin.testing mattermost_pluginapi.hooks.names mattermost_pluginapi.hooks.stubs

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test check codegen codegen-check bench soak soak-stock fuzz docs dist clean

help:  ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(RUNTIME)  ## set up .venv with the mattermost-plugin command

demo: $(RUNTIME)  ## start a plugin as the server does and call its hooks
	@$(PYTHON) -m demo

test: $(DEV)  ## run the tests; those with a Go host need Go (PYTEST="-k http" chooses some)
	@$(PYTHON) -m pytest --quiet $(PYTEST)

check: $(DEV) codegen-check  ## check format, style, types and that generated/ is up to date
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/ruff check --quiet .
	@$(PYTHON) -m mypy .
	@$(VENV)/bin/pyright

codegen: $(DEV)  ## write generated/ anew from protos/, and docs/devhost-methods.md
	@$(PYTHON) -m codegen
	@mkdir -p build
	@$(PYTHON) -m mattermost_plugin.devhost.methods >build/devhost-methods.md
	@mv build/devhost-methods.md docs/devhost-methods.md

codegen-check: $(DEV)  ## compare generated/ with what protos/ give
	@$(PYTHON) -m codegen --check

bench: $(DEV)  ## measure
	@$(PYTHON) -m bench

soak: $(DEV)  ## call the plugin API a million times and watch the memory; takes minutes
	@$(PYTHON) -m bench.soak_api

soak-stock: $(DEV)  ## call a million hooks on the stock wire and watch the memory; needs Go
	@$(PYTHON) -m bench.soak_stock

fuzz: $(FUZZ)  ## feed the stock wire whatever a host may send (FUZZ_S=60 FUZZ_TARGET=gob: less)
	@$(PYTHON) -m tests.fuzz $(FUZZ_TARGET) --seconds $(FUZZ_S)

docs: $(DOCS)  ## write the API documentation to build/docs
	@rm -rf build/docs
	@$(VENV)/bin/pdoc --docformat google --output-directory build/docs $(DOCUMENTED)
	@echo "build/docs/index.html"

dist: $(DIST)  ## build wheel and sdist in dist/ and try the wheel in a fresh environment
	@rm -rf dist build/dist && mkdir -p build/dist
	@$(PYTHON) -m build --outdir dist . >build/dist/log 2>&1 || { cat build/dist/log; exit 1; }
	@$(PYTHON) -m zipfile --list dist/*.whl >build/dist/files
	@for package in mattermost_plugin mattermost_pluginapi; do \
		for name in __init__.py py.typed; do \
			grep --quiet "^$$package/$$name " build/dist/files \
				|| { echo "the wheel has no $$package/$$name"; exit 1; }; \
		done; \
	done
	@$(PYTHON) -m venv build/dist/venv
	@build/dist/venv/bin/python -m pip --quiet --disable-pip-version-check install dist/*.whl
	@cd build/dist && venv/bin/python -c 'import mattermost_plugin.server, mattermost_pluginapi.hooks.adapters'
	@build/dist/venv/bin/mattermost-plugin --version
	@ls dist/*

clean:  ## remove everything that the other targets make
	@rm -rf $(VENV) build dist .tox .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml | $(PYTHON)
	@echo "installing the runtime in $(VENV)"
	@$(INSTALL) --upgrade 'pip>=25.1'
	@$(INSTALL) --editable '.[dev]'
	@touch $@

$(DEV): pyproject.toml $(RUNTIME)
	@echo "installing the development tools in $(VENV)"
	@# Together, for the generator's pins bind the runtime's dependencies too.
	@$(INSTALL) --editable '.[dev]' --group dev
	@touch $@

$(DOCS): $(RUNTIME)
	@$(INSTALL) $(DOCS_TOOLS)
	@touch $@

$(FUZZ): $(DEV)
	@$(INSTALL) $(FUZZ_TOOLS)
	@touch $@

$(DIST): $(RUNTIME)
	@$(INSTALL) $(DIST_TOOLS)
	@touch $@

$(PYTHON):
	@for python in $(BASE_PYTHONS); do \
		$$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "making $(VENV) with $$($$python --version)"; \
		exec $$python -m venv --clear $(VENV); \
	done; \
	for python in $(BASE_PYTHONS); do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "$$($$python --version) has no venv module: apt-get install $$python-venv, then run make again"; \
		exit 1; \
	done; \
	echo "This needs Python 3.11 or newer, which is not on the PATH (make BASE_PYTHON=/path/to/python3 names one)"; \
	exit 1
