# A machine with Python 3.11 or newer, git and make needs nothing else.
.DEFAULT_GOAL := help
.PHONY: help run web test test-long fuzz chaos restore-drill failover-drill image image-drill pooler-drill sbom secrets check check-format check-lint check-types check-imports check-wheel check-web bench screens lighthouse openapi examples lock clean
BIN := .venv/bin
# Hundreds of Pythons are started by the tests; without kept bytecode each compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
# One more than there are cores: journeys and browsers wait more than they compute.
PROCESSES := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
IMAGE := haiyiban:$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: .venv/run.stamp ## set everything up and start 海易办 on this machine (Ctrl-C stops it)
	@$(BIN)/python deploy/web.py || true # without its pages the API is as good
	@$(BIN)/python -m haiyiban.cli up

web: .venv/run.stamp ## build the pages for people (make run and make test do it too)
	@$(BIN)/python deploy/web.py

test: .venv/test.stamp web ## all checks, then all tests
	@$(MAKE) --no-print-directory -j2 check
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# Schemas, the checked-in contract and the migrations are compared with the code by the tests.
check: check-types check-format check-lint check-imports check-web check-wheel ## format, lint, types, import contracts, pages, wheel

check-format: .venv/test.stamp
	$(BIN)/ruff format --check .
check-lint: .venv/test.stamp
	$(BIN)/ruff check .
check-types: .venv/test.stamp
	$(BIN)/mypy
check-imports: .venv/test.stamp
	$(BIN)/lint-imports
check-web: .venv/test.stamp
	@$(BIN)/python deploy/web.py check
check-wheel: .venv/test.stamp web
	$(BIN)/python tests/checks/wheel.py

test-long: .venv/test.stamp web sbom secrets ## the tests that wait for a minute and more: two provinces, bad networks, a day at the hall
	$(BIN)/python -m pytest -m long --numprocesses $(PROCESSES) --dist loadfile

fuzz: .venv/fuzz.stamp ## fuzz what reads codes, lists, numbers and documents; FUZZ_SECONDS=60 for each
	@$(BIN)/python -m tests.fuzz

sbom: .supply/stamp .venv/test.stamp web ## list every package into dist/sbom (CycloneDX), and refuse a licence that is not allowed
	@$(BIN)/python deploy/supply.py

# Without what is generated or published on purpose; a minute on one core. 3: a line has moved, which is no find.
secrets: .supply/stamp ## look for passwords and keys in the files; deploy/secrets.baseline names what is none
	@git ls-files -z | xargs -0 sh -c '.supply/bin/detect-secrets-hook --baseline deploy/secrets.baseline "$$@" || test $$? -eq 3' look

chaos: .venv/test.stamp ## kill, cut off, slow and fill up parts under load for 20 minutes; CHAOS="--minutes 5 --seed 2"
	@$(BIN)/python -m tests.chaos $(CHAOS)

restore-drill: .venv/test.stamp ## lose the database's machine; have it back as it was at an instant, and say how long it took
	@$(BIN)/python -m tests.chaos.restoring

failover-drill: .venv/test.stamp ## kill the primary of two PostgreSQL under load; needs Debian's patroni, etcd-server, postgresql
	@$(BIN)/python -m tests.chaos.failover

image: ## build the container image haiyiban with podman, buildah or docker
	@set -e; for tool in podman buildah docker; do command -v $$tool >/dev/null && break; done; \
	$$tool build $$(test $$tool = docker || echo --format docker) --file deploy/Containerfile --tag $(IMAGE) $(BUILD) .

image-drill: .venv/test.stamp ## run the image as a container would, read-only and as nobody; needs buildah and root
	@$(BIN)/python -m tests.imaging $(IMAGE)

pooler-drill: .venv/test.stamp ## journeys through PgBouncer in transaction mode; needs PgBouncer 1.21 or newer
	@$(BIN)/python -m tests.pooling

bench: .venv/test.stamp ## measure everything against ceilings of the same run, into docs/performance.md; BENCH="--full" or names
	@$(BIN)/python -m benchmarks $(BENCH)

screens: .venv/test.stamp web ## take pictures of the main screens into docs/screens
	$(BIN)/python -m pytest -q tests/web/screens.py

lighthouse: .venv/test.stamp web ## Lighthouse's accessibility of the public pages: 100
	$(BIN)/python -m pytest -q -s tests/web/lighthouse/scores.py

openapi: .venv/test.stamp ## write the API's contract to openapi/openapi.json
	$(BIN)/python -m haiyiban.cli openapi

examples: .venv/test.stamp ## record the contract's examples that are missing, then write the contract
	HAIYIBAN_RECORD_EXAMPLES=1 $(BIN)/python -m pytest -q --numprocesses auto --dist loadfile \
		tests/kernel tests/zones tests/contracts/test_audit.py
	@$(MAKE) --no-print-directory openapi

LOCK = $(BIN)/uv pip compile pyproject.toml deploy/build.in --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url --no-strip-extras
APART = $(BIN)/uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url $(UPGRADE)
lock: .venv/test.stamp ## write the requirements files anew; UPGRADE=--upgrade takes the newest versions
	$(LOCK) $(UPGRADE) --extra dev --output-file requirements-dev.txt
	$(LOCK) --constraint requirements-dev.txt --output-file requirements.txt
	echo uv | $(APART) --output-file deploy/installer.txt
	echo 'atheris<3.1' | $(APART) --output-file deploy/fuzz.txt
	printf 'cyclonedx-bom\ndetect-secrets\n' | $(APART) --output-file deploy/supply.txt

clean: ## remove the environment and the caches; .haiyiban, the data, stays
	rm -rf .venv .fuzz .supply web/node_modules web/dist build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Apart from the rest: its wheels are for Linux on x86 alone, and those after 3.0 not for Python 3.11.
.venv/fuzz.stamp: .venv/test.stamp deploy/fuzz.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement deploy/fuzz.txt
	@touch $@
# An environment of its own, for it must not change what it lists.
.supply/stamp: deploy/supply.txt .venv/test.stamp
	$(BIN)/python -m venv --clear .supply
	.supply/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement deploy/supply.txt
	@touch $@
.venv/run.stamp: requirements.txt pyproject.toml deploy/installer.txt
	@sh deploy/install.sh requirements.txt
	@touch $@
.venv/test.stamp: requirements-dev.txt pyproject.toml deploy/installer.txt
	@sh deploy/install.sh requirements-dev.txt
	@touch .venv/run.stamp $@
