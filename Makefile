# Every target makes what it needs, in a virtual environment of its own under .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: quickstart test test-all pytest docs serve-docs package folder-table template-table equivalence lint works-with bench-env bench-rollout bench-store bench-fit bench-checker bench-embedded bench-learning bench-memory performance-page clean

$(INSTALLED): setup.cfg pyproject.toml requirements/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements/constraints.txt --editable '.[test]'
	touch $@

# Runs the RISE loop on the embedded task and model: about ten minutes on two CPU cores.
quickstart: $(INSTALLED)
	$(BIN)/rise run --config examples/quickstart.yaml

# Style, types, and every test that is not marked slow.
test: lint pytest

# Every test that is not marked slow, without style and types.
pytest: $(INSTALLED)
	$(BIN)/python -m pytest

# README, documentation and examples: their code runs, their imports are public, what they name is there. Then the
# documentation site, into site/; a warning is an error.
docs: $(INSTALLED)
	$(BIN)/python -m pytest tests/test_readme.py tests/test_docs.py tests/test_examples.py tests/test_folder_table.py
	$(BIN)/mkdocs build --strict

# Shows the documentation site at http://127.0.0.1:8000 while you write.
serve-docs: $(INSTALLED)
	$(BIN)/mkdocs serve

# The sdist, the wheel made from it, and an episode played with each of them in an environment of its own.
package: $(INSTALLED)
	$(BIN)/python -m pip install --quiet build
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	for file in dist/*; do .ci/try_package $(PYTHON) $$file || exit 1; done

# Writes the table of folders in CONTRIBUTING.md anew; needed after a folder was added, moved or removed.
folder-table: $(INSTALLED)
	$(BIN)/python -m tests.folder_table

# Plays and trains every style of chat template, and writes the table of them in docs/trainer.md anew.
template-table: $(INSTALLED)
	$(BIN)/python -m tests.rise_trainers.template_table

# Runs other libraries with the environments and writes the table of docs/works_with.md. PYTHONS: interpreters in
# which the libraries are installed.
works-with: $(INSTALLED)
	$(BIN)/python -m tests.works_with --python $(BIN)/python $(foreach python,$(PYTHONS),--python $(python))

# The slow tests as well, and the table of equivalence.
test-all: lint equivalence
	$(BIN)/python -m pytest -m 'not gpu and not network'

# The gradient for every micro batch, accumulation, number of ranks, ZeRO stage and layout: a table of errors.
equivalence: $(INSTALLED)
	$(BIN)/python -m tests.rise_trainers.equivalence --output benchmarks/results/equivalence.md

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Steps per second of the environments. PEERS names Python interpreters with gem-llm, skyrl-gym, verifiers 0.3 in them;
# RISE_REPO: a clone of cmu-mind/RISE.
bench-env: $(INSTALLED)
	$(BIN)/python -m rise_benchmarks.speed.env $(foreach python,$(PEERS),--peers $(python)) \
		$(if $(RISE_REPO),--rise-repo $(RISE_REPO)) --output benchmarks/results/env_speed.json \
		--profile benchmarks/results/env_profile.md

# Tokens per second of rollouts beside bare generate, with transformers and, where it is installed, vLLM.
bench-rollout: $(INSTALLED)
	$(BIN)/python -m rise_benchmarks.speed.rollout --eager --output benchmarks/results/rollout_speed.json
	$(BIN)/python -m rise_benchmarks.search.tree_speed --trees 64 --output benchmarks/results/search_speed.json

# Trajectories per second into and out of a store; memory while 100,000 episodes are collected.
bench-store: $(INSTALLED)
	$(BIN)/python -m rise_benchmarks.speed.store --output benchmarks/results/store_speed.json

# Trained tokens per second beside a bare loop, the released recipe and, where it is installed, TRL; the peak
# memory of the loss on a vocabulary of 128,256.
bench-fit: $(INSTALLED)
	$(BIN)/python -m rise_benchmarks.speed.fit --output benchmarks/results/fit_speed.json
	$(BIN)/python -m rise_benchmarks.speed.fit_memory --output benchmarks/results/fit_memory.json

# The embedded experiment, three seeds: RISE and its baselines, then what changes with each setting. Hours on two
# cores; stopped at any point, the same command goes on.
bench-embedded: $(INSTALLED) bench-learning
	$(BIN)/rise bench embedded --recipe examples/quickstart.yaml --out runs/embedded
	$(BIN)/rise bench ablations --recipe benchmarks/recipes/ablations.yaml --out runs/ablations

# What the embedded model that reads notes learns without weights, three seeds: rules, and memories. Tens of minutes on two cores.
bench-learning: $(INSTALLED)
	$(BIN)/rise bench conventions --agent tiny-notes --sampling.max_new_tokens 80 --out runs/conventions
	$(BIN)/rise bench memory --agent tiny-notes --sampling.max_new_tokens 80 --out runs/memories

# What the policies of a memory keep over three streams of families, beside the best possible; no model.
bench-memory: $(INSTALLED)
	$(BIN)/python -m rise_benchmarks.learning.streams --output benchmarks/results/memory.md

# Checks per second; RISE_DATA_DIR names the folder of the MATH answers.
bench-checker: $(INSTALLED)
	$(BIN)/python -m rise_benchmarks.speed.checker --output benchmarks/results/checker_speed.json

# docs/performance.md from benchmarks/results, with the commit of every result.
performance-page: $(INSTALLED)
	$(BIN)/python -m rise_benchmarks.performance.page --update

clean:
	rm -rf $(VENV) build dist site *.egg-info
