# The menu of this project. `make` alone lists it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= out

# What `make test` leaves out: what is long or needs hardware, a server or a browser.
UNIT := not slow and not gpu and not ray and not postgres and not browser

# One thread for each of the two test processes.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-browser test-slow bench bench-evolution bench-peers bench-recurrent bench-rl bench-spaces bench-training bench-fidelity bench-final docs lint format new clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/.demo ## Search an image task for two minutes; results in out/.
	@if [ -f $(OUT)/demo.db ]; then cd $(OUT) && rm -rf demo.db* front.json log.jsonl report.html trial-*; fi
	@mkdir -p $(OUT)
	$(BIN)/nasturtium search digits --minutes 2 --minimize valid_error --minimize params \
		--seed 0 --name demo --storage sqlite:///$(OUT)/demo.db --out $(OUT)

test: lint ## Check style, types, arrows, docs and run the tests (minutes).
	$(PYTEST) -m "$(UNIT)" --doctest-modules

test-slow: $(VENV)/.dev ## Run the long tests.
	$(PYTEST) -m slow tests

test-browser: $(VENV)/.dev ## Run the tests that need Chromium.
	$(BIN)/python -m pytest -m browser tests/report

bench: $(VENV)/.dev bench-training ## Measure the training engine, then the costs of the framework itself.
	$(BIN)/python benchmarks/overhead.py

bench-evolution: $(VENV)/.dev ## Hold evolution to its papers: on NAS-Bench-201, on toys, on small trainings.
	$(BIN)/python benchmarks/evolution.py
	$(BIN)/python benchmarks/trained_evolution.py
	$(BIN)/python benchmarks/neuroevolution.py

bench-peers: $(VENV)/.dev ## Compare with Optuna, Nevergrad and SMAC on NAS-Bench-201 (an hour).
	$(BIN)/python benchmarks/peers.py --out out/peers

bench-recurrent: $(VENV)/.dev ## Find a recurrent cell on a text; hold it beside an LSTM and a GRU as large.
	$(BIN)/python benchmarks/recurrent.py

bench-rl: $(VENV)/.dev ## Hold reinforcement learning to its papers, on NAS-Bench-201; then to real trainings (hours).
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/rl.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/rl_end_to_end.py

bench-training: $(VENV)/.dev ## Measure the training engine against a textbook pipeline (minutes).
	$(BIN)/python benchmarks/training.py

bench-fidelity: $(VENV)/.dev ## Compare a search by cheap estimates with one by full trainings (30 minutes).
	$(BIN)/python benchmarks/fidelity.py --full "training(epochs=5, fraction=0.1)" \
		--cheap "training(epochs=2, fraction=0.1, resolution=0.5)"

bench-final: $(VENV)/.dev ## Train a baseline for 300 CPU seconds, three seeds, and test it.
	$(BIN)/python benchmarks/final_training.py

bench-spaces: $(VENV)/.dev ## Measure how many networks a second each space makes; print its published counts.
	$(BIN)/python benchmarks/spaces.py
	$(BIN)/python benchmarks/published.py

docs: $(VENV)/.dev ## Build the documentation into docs/_build/html; a warning is an error.
	$(BIN)/python -m sphinx --fail-on-warning --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

lint: $(VENV)/.dev ## Check style, types, arrows and spelling.
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell

format: $(VENV)/.dev ## Format the code and mend what ruff can mend.
	$(BIN)/python -m ruff format
	$(BIN)/python -m ruff check --fix

new: ## Write the two files of a component: KIND=strategy NAME=tabu-search.
	@$(PYTHON) scripts/new.py "$(KIND)" "$(NAME)"

clean: ## Remove what the other targets made.
	rm -rf $(VENV) docs/_build docs/reference/generated .mypy_cache .pytest_cache .ruff_cache

# --- the virtual environment; a stamp says what is installed -------------------------------------

$(BIN)/python:
	@echo "Creating $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing nasturtium into $(VENV) (torch is large: this takes minutes, once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[onnx]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing nasturtium and its tools into $(VENV) (this takes minutes, once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo
