# Everything a person or CI runs goes through here; the environment is made on first use in .venv/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/uv/bin/uv
UV_VERSION := 0.13.9
IMAGE_LOCK := --universal --generate-hashes --no-annotate -c requirements/dev.txt -q --no-header

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/installed ## Set up, then run examples/digits/job.yaml from manifest to measured int8 model
	$(BIN)/trimtab run examples/digits/job.yaml

.PHONY: test
test: $(VENV)/installed ## Set up, then run every tier of tests
	@$(BIN)/python -m tests.cluster build > $(VENV)/programs || test "$$CI" != true
	@$(BIN)/python -m tests.support.chromium > $(VENV)/browser || test "$$CI" != true
	@$(BIN)/python -m tests.cluster.packages || test "$$CI" != true
	$(BIN)/pytest tests --cov --cov-report=term:skip-covered

.PHONY: check
check: lint ## The inner loop: lint, types, import contracts, generated files, unit tests
	$(BIN)/pytest tests/unit

.PHONY: lint
lint: $(VENV)/installed ## Format and lint check, strict types, import contracts, generated files
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

.PHONY: format
format: $(VENV)/installed ## Format the code and apply safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: crd
crd: $(VENV)/installed ## Generate the CRDs, the examples' manifests, the references and what the chart copies
	$(BIN)/python -m trimtab_api.schema crds
	$(BIN)/python examples/generate.py
	$(BIN)/python docs/generate_commands.py
	$(BIN)/python docs/generate_fields.py
	$(BIN)/python helm/generate.py

.PHONY: bench
bench: $(VENV)/bench-installed ## Run one claim against its peers: make bench NAME=orchestration
	@test -n "$(NAME)" || { echo "usage: make bench NAME=<$$(cd bench && ls *.py | sed 's/.py//' | paste -sd '|')>"; exit 2; }
	PYTHONPATH=$(CURDIR) $(BIN)/python -P bench/$(NAME).py  # -P: bench/operator.py is not Python's own operator

.PHONY: faults
faults: $(VENV)/installed test-deps ## The long table of faults: drivers and operators killed, servers taken away, requests refused
	TRIMTAB_FAULTS=full $(BIN)/pytest tests/faults -s

.PHONY: images
images: $(VENV)/installed ## What sites without the internet need: dist/images/ with the list and the bills of materials
	$(BIN)/python helm/images.py dist/images

.PHONY: image-test
image-test: export TRIMTAB_TEST_IMAGES = $(CURDIR)/$(VENV)/images
image-test: export TRIMTAB_WORKER_IMAGE = full
image-test: $(VENV)/installed test-deps ## Build the whole worker image and run the demo's job from it on real nodes (40 GB)
	$(BIN)/pytest tests/e2e/test_digits.py -s; status=$$?; $(BIN)/python -m tests.cluster.images remove; exit $$status

.PHONY: test-deps
test-deps: $(VENV)/installed ## Build the test control plane and S3 server (needs Go 1.26; kept outside the tree), get Chromium
	$(BIN)/python -m tests.cluster build
	@$(BIN)/python -m tests.support.chromium || test "$$CI" != true
	@$(BIN)/python -m tests.cluster.packages || test "$$CI" != true

.PHONY: lock
lock: $(VENV)/installed ## Pin every dependency anew from pyproject.toml
	$(UV) pip compile pyproject.toml --extra jobs --extra operator --extra dev -q --no-header -o requirements/dev.txt
	$(UV) pip compile pyproject.toml --extra jobs --extra operator --extra dev --extra bench -c requirements/dev.txt -q --no-header \
		-o requirements/bench.txt
	$(UV) pip compile pyproject.toml --extra operator $(IMAGE_LOCK) -o requirements/operator.txt
	$(UV) pip compile pyproject.toml --extra jobs --extra cluster $(IMAGE_LOCK) -o requirements/worker.txt
	echo uv==$(UV_VERSION) hatchling | tr ' ' '\n' | $(UV) pip compile - $(IMAGE_LOCK) -o requirements/build.txt

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(PYTHON) -m venv $(VENV)/uv
	$(VENV)/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/installed: requirements/dev.txt pyproject.toml | $(UV)
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --requirements requirements/dev.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/bench-installed: requirements/bench.txt $(VENV)/installed
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --requirements requirements/bench.txt
	touch $@
