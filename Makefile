# Run it: make run. Check it: make test. Everything else: make help.

# From make's command line only: some shells have a HOST of their own.
HOST = 127.0.0.1
TLS ?= 0
XMPP ?= 0
PORT ?= $(if $(filter 1,$(TLS)),8445,8000)
DEMO ?= 1
PYTHON ?= python3
REQUESTS ?= 20000
JUNIT ?= conformance.xml
THOROUGH ?= 0
VENV := .venv
BIN := $(VENV)/bin
NEXT := .venv-next
# The highest Python 3 on the path or among pyenv's.
NEXT_PYTHON ?= $(or $(shell ls -d $(HOME)/.pyenv/versions/3.*/bin/python3 $(foreach dir,$(subst :, ,$(PATH)),$(wildcard $(dir)/python3.[0-9] $(dir)/python3.[0-9][0-9])) 2>/dev/null \
	| while read -r found; do echo "$$($$found -c 'import sys; print("%d.%03d" % sys.version_info[:2])' 2>/dev/null) $$found"; done | sort | tail -n 1 | cut -d' ' -f2),python3)

.DEFAULT_GOAL := help
.PHONY: help run production test test-next conformance fuzz faults bench pictures house lint package audit licences sbom services lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# Either way: what the shell has set must not make a demo of DEMO=0.
run: export FINESSE_DEMO = $(if $(filter 1,$(DEMO)),1,0)
run: $(VENV)/installed ## install, migrate, load demo data, start everything (HOST, PORT, TLS=1, XMPP=1, DEMO=0)
	@$(BIN)/python manage.py migrate --verbosity 0
	@if [ "$(DEMO)" = 1 ]; then $(BIN)/python manage.py demo; fi
	@exec $(BIN)/python manage.py run --host $(HOST) --port $(PORT) $(if $(filter 1,$(TLS)),--tls) $(if $(filter 1,$(XMPP)),--xmpp)

ACTION ?= start
production: export FINESSE_DEMO = 0
production: $(VENV)/installed ## run all processes under a supervisor: ACTION=start, check, status, stop or restart
	@exec $(BIN)/python manage.py production $(ACTION)

test: $(VENV)/installed-dev $(VENV)/audit/installed ## the whole suite, on the embedded default and on real services; THOROUGH=1: as in CI
	@BIN=$(BIN) THOROUGH=$(THOROUGH) tests/run

test-next: $(NEXT)/installed ## the suite on the newest Python and Django: NEXT_PYTHON, TESTS="tests/db tests/api"
	@BIN=$(NEXT)/bin TESTS="$(TESTS)" tests/run-next

fuzz: $(VENV)/installed-dev ## 20,000 odd requests (REQUESTS): each is done whole or not at all
	@env -u FINESSE_DEMO FINESSE_FUZZ=$(REQUESTS) $(BIN)/python -m pytest --quiet tests/api/test_fuzz.py \
		tests/admin/test_odd_addresses.py

ROUNDS ?= 20
faults: $(VENV)/installed-dev ## break PostgreSQL, workers, networks … and see that nothing is lost: ROUNDS, ONLY="worker", SHORT=1, ADD=1
	@env -u DATABASE_URL -u REDIS_URL -u CELERY_BROKER_URL $(BIN)/python -u -m tests.faults --rounds $(ROUNDS) \
		$(if $(filter 1,$(SHORT)),--short) $(if $(ONLY),--only "$(ONLY)") $(if $(MINUTES),--minutes $(MINUTES)) $(if $(filter 1,$(ADD)),--add)

# Its settings come from make's command line only, since the shell has a USER of its own.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),\
	$(eval conformance: export CONFORMANCE_$(name) = $$(value $(name)))))

conformance: $(VENV)/installed-dev ## check any server: URL, USER, PASSWORD, … (tests/conformance/README.md)
	@$(BIN)/python -m pytest -c tests/conformance/pytest.ini --rootdir tests/conformance tests/conformance \
		--junitxml "$(JUNIT)" $(ARGS)

bench: $(VENV)/installed-dev $(VENV)/benchmarks/installed ## how fast, beside what the machine can do: SHORT=1, ONLY="accept cycles" (benchmarks/README.md)
	@$(BIN)/python -m benchmarks.run $(if $(filter 1,$(SHORT)),--short) $(ONLY:%=--only %)

pictures: $(VENV)/installed-dev ## the pictures of docs/supervisors.md, from a demo of its own
	@env -u DATABASE_URL -u REDIS_URL -u CELERY_BROKER_URL DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.pictures

house: $(VENV)/installed-dev ## figures of the code, and the picture of its layers: SINCE=commit, DETAILS=1
	@$(BIN)/python -m tests.house $(SINCE:%=--since %) $(if $(filter 1,$(DETAILS)),--details)

lint: $(VENV)/installed-dev ## style, types, import rules, migrations, settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	SECRET_KEY=for-lint-only $(BIN)/python -W error manage.py makemigrations --check --dry-run
	SECRET_KEY=for-lint-only $(BIN)/python -W error manage.py check --fail-level WARNING

# The backend comes from the pinned requirements, not from an environment that is resolved anew.
package: $(VENV)/installed-dev ## a wheel and an sdist in dist/, to install without a checkout
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist .
	@echo "To install: pip install --require-hashes --requirement requirements.txt, then pip install --no-deps dist/*.whl"

audit: $(VENV)/audit/installed ## known vulnerabilities of what is pinned: 1 if there are, 2 if nothing can be said (OSV=address)
	@$(BIN)/python -m tests.dependencies.audit $(OSV:%=--osv-url %)

licences: $(VENV)/installed $(VENV)/audit/installed ## write docs/licences.md anew
	@$(BIN)/python -m tests.dependencies.licences

sbom: $(VENV)/audit/installed ## a bill of materials (CycloneDX) in dist/, of an environment with the service alone
	@rm -rf dist/environment && $(PYTHON) -m venv dist/environment
	@dist/environment/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@$(VENV)/audit/bin/cyclonedx-py environment --pyproject pyproject.toml --gather-license-texts --output-reproducible \
		--output-file dist/finesse-media.cdx.json dist/environment/bin/python
	@rm -rf dist/environment; echo "dist/finesse-media.cdx.json"

services: ## install PostgreSQL, Redis, RabbitMQ, Chromium, Prosody and Node from Debian's packages
	@tests/services

lock: $(VENV)/lock ## resolve requirements*.in anew into pinned, hashed requirements*.txt
	$(VENV)/lock/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt
	$(VENV)/lock/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links requirements-traces.in -o requirements-traces.txt
	$(VENV)/lock/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links requirements-dev.in -o requirements-dev.txt
	$(VENV)/lock/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links benchmarks/requirements.in -o benchmarks/requirements.txt
	$(VENV)/lock/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links requirements-audit.in -o requirements-audit.txt

clean: ## remove the environment and caches; the data in .data stays
	rm -rf $(VENV) $(NEXT) dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov

$(VENV)/bin/python:
	@[ ! -e $(VENV) ] || [ -w $(VENV) ] \
		|| { echo "$$(id -un) may not run the Python of $(CURDIR)/$(VENV), which another user has made. As that user: make clean, then make .venv/installed PYTHON=/usr/bin/python3 (a Python that everybody may run)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Name another: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the service needs into $(VENV) (once, about half a minute) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the checks need into $(VENV) (once, about a minute) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@ $(VENV)/installed

# Nothing is pinned: this environment has the newest release of everything.
$(NEXT)/installed: requirements.in requirements-traces.in requirements-dev.in
	@echo "Installing the newest of everything into $(NEXT), with $(NEXT_PYTHON) (once, about two minutes) …"
	@rm -rf $(NEXT)
	@$(NEXT_PYTHON) -m venv $(NEXT)
	@cat requirements.in requirements-traces.in requirements-dev.in | grep -v '^-' | sed 's/^django>=.*/django/' >$(NEXT)/requirements.in
	@$(NEXT)/bin/pip install --quiet --disable-pip-version-check --upgrade --requirement $(NEXT)/requirements.in
	@touch $@

# In a folder of their own: their dependencies must not change the service that is measured.
$(VENV)/benchmarks/installed: benchmarks/requirements.txt $(VENV)/installed
	@echo "Installing what the benchmarks need into $(@D) (once, some seconds) …"
	@rm -rf $(@D)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $< --target $(@D)
	@touch $@

# In an environment of their own, too.
$(VENV)/audit/installed: requirements-audit.txt | $(VENV)/bin/python
	@echo "Installing what looks after the dependencies into $(@D) (once, some seconds) …"
	@rm -rf $(@D) && $(BIN)/python -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(VENV)/lock: | $(VENV)/bin/python
	$(PYTHON) -m venv $@ && $@/bin/pip install --quiet uv || { rm -rf $@; exit 1; }
