# Everything is reached from here: `make demo` shows the product, `make test` proves it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
ARGS ?=
ONLY ?=
MINUTES ?= 30
SEED ?= 1

.PHONY: help demo test check unit bench chaos fuzz grafana lock proto parts clean

help:
	@echo "make demo    a small city on this machine: broker, furnaces, agents, service and page (ARGS='--for 90s --json')"
	@echo "make test    everything static, then every test with real parts"
	@echo "make check   format, lint, types, layering"
	@echo "make bench   every benchmark, or ONLY=name ARGS='...'"
	@echo "make chaos   faults between real parts for MINUTES=30 as SEED=1 draws them; nothing may be lost"
	@echo "make fuzz    arbitrary bytes for decoders, intake and queries for MINUTES=30 each; what fails is kept in .fuzz/"
	@echo "make grafana Grafana with every dashboard, on the service (or STORE=influxdb, STORE=victoriametrics)"
	@echo "make lock    resolve requirements.lock anew"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	@$(BIN)/ingest-service demo $(ARGS)

test: $(READY) parts
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder -m "not alone" $(ARGS)
	@$(BIN)/python -m pytest -q -m alone $(ARGS)
	@echo "make test: everything passed"

parts:
	@sh deploy/test-parts.sh

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY)
	@$(BIN)/python -m tests.bench $(ONLY) $(ARGS)

chaos: $(READY) parts
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) --seed $(SEED) $(ARGS)

fuzz: $(READY)
	@for target in decoding intake influxql; do \
		$(BIN)/python -m tests.fuzz $$target --seconds $$(($(MINUTES) * 60)) --seed $(SEED) --findings .fuzz || exit 1; \
	done

grafana:
	@sh deploy/grafana/run.sh

lock: $(READY)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --all-extras pyproject.toml -o requirements.lock

proto: $(READY)
	@$(BIN)/python -m grpc_tools.protoc -I edge_agent/wire --python_out=edge_agent/wire --pyi_out=edge_agent/wire sparkplug_b.proto
	@$(BIN)/ruff check --select I --fix --quiet edge_agent/wire

clean:
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
