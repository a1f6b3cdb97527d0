# Two commands: `make lab` opens the course, `make test` checks everything. Each makes .venv first if it must.
PYTHON ?= python3
LAB_ARGS ?=
ZOO_ARGS ?=
SITE_ARGS ?=
# `model` is torch; without it the lessons up to 05 still run. Add `triton` for the GPU kernels and `oracle` to compare
# the model with transformers: make test EXTRAS=lab,dev,model,serve,triton,oracle
EXTRAS ?= lab,dev,model,serve
comma := ,
BIN := .venv/bin
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
endif
READY := .venv/radixlab-installed-$(subst $(comma),-,$(EXTRAS))
# One process more than cores, because tests also wait: for servers, browsers and kernels.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(os.cpu_count() or 1, 7) + 1)')
# A test that hangs is named, with the stack of each thread, and ends the run; the slowest test takes a minute.
HANG = --max-worker-restart=0 -o faulthandler_timeout=1200 -o faulthandler_exit_on_timeout=true
NOTEBOOKS = $(wildcard notebooks/*.ipynb solutions/*.ipynb)
# The compiled cache has an environment of its own: an extension module in the checkout would hide the .py beside it.
FAST := .venv-fast
FAST_BIN := $(FAST)/$(notdir $(BIN))
FAST_SOURCES := $(shell find radixlab -type f -not -path '*/__pycache__/*')
FAST_TESTS = tests/test_build.py tests/cache tests/sched tests/test_engine.py

.PHONY: lab test lint unit nbval fast fast-silent test-fast soak zoo bench notebooks site pictures clean

lab: $(READY)  ## JupyterLab on your copy of the first lesson; e.g. LAB_ARGS="--no-browser --port 18888 --token T"
	$(BIN)/radixlab lab $(LAB_ARGS)

test: lint unit nbval  ## what CI runs

# Without torch all its types are `Any`, and strict mypy refuses classes and decorators made of these.
ALLOW_ANY = --allow-subclassing-any --allow-untyped-decorators --no-warn-return-any
lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $$($(BIN)/python -c 'import torch' 2>/dev/null || echo $(ALLOW_ANY))

unit: $(READY)  ## unit tests, doctests, JavaScript and browser tests; -ra says what was skipped and why
	$(BIN)/python -m pytest -q -ra -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(HANG)

nbval: $(READY)  ## every output of every committed notebook, compared with a fresh run
	$(BIN)/python -m pytest -q -ra -n $(WORKERS) --dist loadfile --nbval notebooks solutions

fast: $(FAST)/built  ## the cache compiled by mypyc, in .venv-fast; needs a C compiler and takes about a minute

fast-silent: $(FAST)/silent/built  ## the same without events, for the row of `bench tree` that says what they cost

$(FAST)/silent/built: $(FAST)/built
	rm -rf $(FAST)/silent
	RADIXLAB_MYPYC=1 RADIXLAB_SILENT=1 $(FAST_BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation \
	  -w $(FAST)/silent/wheel .
	$(FAST_BIN)/python -m pip install --quiet --no-deps --target $(FAST)/silent/site $(FAST)/silent/wheel/*.whl
	@touch $@

# The tests are copied to a folder without the package, so that they import the installed one; test_build.py proves it.
# The rulebook is about the source, and is tested there.
test-fast: $(FAST)/built  ## the tests of cache, scheduler and engine on the compiled build
	rm -rf $(FAST)/suite && mkdir $(FAST)/suite
	cp -R conftest.py pyproject.toml hatch_build.py tests $(FAST)/suite
	cd $(FAST)/suite && RADIXLAB_BUILD=compiled ../../$(FAST_BIN)/python -m pytest -q -ra -n 2 --dist loadfile \
	  $(HANG) -p no:cacheprovider -o addopts="--import-mode=importlib --strict-markers" $(FAST_TESTS) --ignore=tests/cache/test_rulebook.py

$(FAST)/built: pyproject.toml constraints.txt hatch_build.py $(FAST_SOURCES)
	@test -x $(FAST_BIN)/python || $(PYTHON) -m venv $(FAST)
	$(FAST_BIN)/python -m pip install --quiet -c constraints.txt \
	  click hatchling hypothesis msgpack mypy numpy pytest pytest-xdist setuptools tqdm
	rm -rf $(FAST)/wheel
	RADIXLAB_MYPYC=1 $(FAST_BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w $(FAST)/wheel .
	$(FAST_BIN)/python -m pip install --quiet --no-deps --force-reinstall $(FAST)/wheel/*.whl
	@touch $@

soak: $(READY)  ## the random tests again, with new seeds and many more examples
	RADIXLAB_SOAK=1 $(BIN)/python -m pytest -q -ra -n 2 -m "soak or hypothesis"

# In tests/artifacts/zoo; an interrupted run goes on where it was. E.g. ZOO_ARGS="8.5.1 --seeds 0", or --help.
zoo: $(READY)  ## how many mutants of all right solutions the grader kills, and which survive; about an hour
	$(BIN)/python -m tests.grade.mutation --jobs 2 $(ZOO_ARGS)

bench: $(READY)
	$(BIN)/radixlab bench

notebooks: $(READY)  ## run the notebooks again and clean them for commit
	$(BIN)/python -m radixlab.lesson.build $(NOTEBOOKS)

# Needs no network, then or later. E.g. SITE_ARGS="--no-run" for a first look, or a folder in place of site.
site: $(READY)  ## the course as web pages, in site/: lessons with players to step, rulebook, cheat sheet; about 3 minutes
	$(BIN)/python -m radixlab.site $(SITE_ARGS)

pictures: $(READY)  ## README's pictures of the live view, taken by a headless Chromium
	$(BIN)/python -m radixlab.lesson.publish.portrait

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "radixlab needs Python 3.11 or newer, and '$(PYTHON)' is not; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $(READY)

clean:  ## all that can be made again; never work/, which is the learner's
	rm -rf .venv .venv-fast .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/artifacts build dist site
	find radixlab tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
