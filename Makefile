# What there is to do with a checkout. Each target sets up what it needs, says so, and is quick the second time.

BIN := .venv/bin

.PHONY: help setup check test demo demo-clean bench docs lock clean

help:            ## Show this list.
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/ready      ## Make the Python environment.

.venv/ready: requirements.lock pyproject.toml
	@scripts/setup

check: setup     ## Format, types, layers, unit tests: the quick loop, under a minute.
	@scripts/check

test: setup      ## Every test, the ones on a real Kubernetes too. Sets up what it needs.
	@scripts/test

demo: setup      ## From nothing to a Django blog on a real Kubernetes.
	@scripts/demo

demo-clean: setup       ## Remove the demo: the blog, its data and the cluster.
	@$(BIN)/nuages cluster down

bench: setup     ## Measure beside kubectl, Helm and the floor; wants a quiet machine (about 45 minutes).
	@$(BIN)/python -m benchmarks

docs: setup      ## Build the documentation into site/.
	@$(BIN)/python -m pip install --quiet --require-hashes -r docs/requirements.lock && $(BIN)/mkdocs build --strict

lock:            ## Refresh the locks after a change of dependencies (needs uv).
	uv pip compile --quiet --universal --generate-hashes --group dev pyproject.toml -o requirements.lock --custom-compile-command "make lock"
	uv pip compile --quiet --universal --generate-hashes --group docs -o docs/requirements.lock --custom-compile-command "make lock"

clean:           ## Remove what was made here (not the cluster, not the caches in your home).
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist site
