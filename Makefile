# Every target says what it does: `make help`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
SOURCES := testbed tests scenarios protos

.DEFAULT_GOAL := help
SUITES := $(BIN)/python tests/suites.py
.PHONY: help rehearse rehearse-compose images up test slow unit conformance e2e stories compose real client clients chaos bench check docs format lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.lock pyproject.toml protos/build.py $(shell find protos -name '*.proto') | $(BIN)/python
	@echo "Installing what a run needs into $(VENV): a minute or two, the first time only."
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@echo "Installing what tests need into $(VENV): a minute or two, the first time only."
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

rehearse: $(RUN) ## play the story's cutover and print the verdict (report/ has the rest)
	$(BIN)/testbed rehearse scenarios/zozomat --report report

rehearse-compose: ## play it on Docker Compose, with LocalStack's Route 53; leaves no container behind
	compose/rehearse

images: ## build the testbed's image for Docker Compose anew, after a change
	docker compose build aws

up: $(RUN) ## start the topology and keep it running for dig, curl and aws
	$(BIN)/testbed up scenarios/zozomat

test: $(DEV) ## what a change needs: unit, conformance, e2e; about 13 minutes on 2 cores
	$(SUITES) unit conformance e2e

slow: $(DEV) ## what a merge needs besides: stories, compose, real, client, chaos
	$(SUITES) stories compose real client chaos

unit: $(DEV) ## the parts, two at a time
	$(SUITES) unit

conformance: $(DEV) ## the recorded cases of the real controllers; a table of passed per file
	$(SUITES) conformance

e2e: $(DEV) ## the story on whole topologies, two at a time
	$(SUITES) e2e

stories: $(DEV) ## other moves than the story's, and other ways to play it
	$(SUITES) stories

compose: $(DEV) ## the composed topology (needs Docker)
	$(SUITES) compose

real: $(DEV) ## the real controllers (needs go; .ci/external-dns builds them)
	$(SUITES) real

client: $(DEV) ## the real HTTP and gRPC clients of other languages
	$(SUITES) client

clients: $(DEV) ## the client models against Go, Java, libcurl, nginx and HAProxy as well
	CLIENTS=all $(SUITES) client

chaos: $(DEV) ## parts of running topologies struck under load
	$(SUITES) chaos

bench: $(RUN) ## measure this machine: start, memory, rates, ratios to h2load and to Envoy alone
	$(BIN)/python -m testbed.bench $(ARGS)

check: $(DEV) ## formatting, lint, types, layers
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DEV) ## build the documentation into site/; warnings fail
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

format: $(DEV) ## format the sources
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --generate-hashes --extra build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --generate-hashes --all-extras pyproject.toml -o requirements-dev.lock

clean: ## remove the environment and what runs left
	rm -rf $(VENV) report site
