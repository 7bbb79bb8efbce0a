# Two commands on a fresh machine with Python 3.11+ and make: `make run` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help setup run test check translations bench bench-staff faults frozen laws mutants odd races spreadsheet lighthouse walked code lock fmt clean
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
STAMP := .venv/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) .env ## install the locked packages into .venv, and write a .env for a laptop

$(STAMP): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name one with make PYTHON=…")'
	@$(PYTHON) -m venv --clear .venv || { echo "python3 cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing the packages (once) …"
	@if $(BIN)/python -m pip install -q uv==0.13.9; \
	then VIRTUAL_ENV=.venv $(BIN)/python -m uv pip install -q --compile-bytecode --require-hashes -r requirements-dev.txt; \
	else $(BIN)/python -m pip install -q --require-hashes -r requirements-dev.txt; fi
	@touch $@

.env:
	@cp .env.example .env

run: setup ## start everything and serve on 127.0.0.1:8000 (PORT=… for another port)
	@exec $(MANAGE) serve --port $(PORT)

test: setup ## run all tests; ARGS="-k name" for some of them
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

check: setup ## check format, lint, order of the rooms, types, migrations, protocol, translations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@said=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	@$(MANAGE) check --fail-level WARNING
	@$(MANAGE) makemigrations --check --dry-run
	@said=$$(DJANGO_SETTINGS_MODULE=tests.migration_settings $(MANAGE) lintmigrations 2>&1) || \
		{ echo "$$said"; echo "What a migration may do: docs/releases.md"; exit 1; }
	@CLINIC_LANGUAGES=en $(MANAGE) translations --check

translations: setup ## collect and compile the sentences for patients (clinic/locale)
	@CLINIC_LANGUAGES=en $(MANAGE) translations

fmt: setup ## format code and templates
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/djade $$(git ls-files 'templates/*.html')

bench: setup ## measure the performance goals (docs/performance.md)
	@$(BIN)/python -m tests.bench $(ARGS)

bench-staff: setup ## measure the worklist with a million submissions, memory, start (11 minutes, 5 GB)
	@$(BIN)/python -m tests.bench staff

faults: setup ## kill workers and the database: no message and no sent form is lost (5 minutes or more)
	@$(BIN)/python -m tests.faults.outbox
	@$(BIN)/python -m tests.faults.sending
	@for mutant in early piecemeal unguarded forgetful; do \
		$(BIN)/python -m tests.faults.sending --patients 60 --kills 5 --crashes 5 --mutant $$mutant || exit 1; done

lighthouse: setup .local/lighthouse ## run Lighthouse five times on three pages: at least 99, 100, 100 (needs Node.js, Chromium)
	@$(BIN)/python -m tests.web.lighthouse $(ARGS)

# not in package.json: one of its packages requires "latest", which no lock can hold
.local/lighthouse:
	@npm install --silent --prefix $@ lighthouse@12.8.2 && touch $@

spreadsheet: setup ## open a CSV of cells that look like formulas in LibreOffice, where it is installed
	@$(BIN)/python -m tests.spreadsheet

walked: setup ## walk the stories of the length budget in a browser, and count (two minutes; needs Chromium)
	@$(BIN)/python -m tests.web.walked

frozen: setup ## the 20,000 answer sets of tests/intake/domain/frozen.py are judged as they were (half a minute)
	@$(BIN)/python -m tests.intake.domain.frozen

odd: setup ## read 100,000 odd texts for danger, and say how long a text takes (some minutes)
	@$(BIN)/python -m tests.intake.domain.odd_texts $(ARGS)

laws: setup ## the property tests, with ten times as many examples as `make test` draws (minutes)
	@CLINIC_EXAMPLES=10 $(BIN)/python -m pytest -n 2 $$(grep -rl --include='test_*.py' 'examples(' tests)

mutants: setup ## change each leaf of each rule and fact, and leave out each frame: a case notices it (minutes)
	@CLINIC_EXAMPLES=40 $(BIN)/python -m pytest -n 2 -k "changes_the_table or frame" \
		tests/intake/domain/test_golden.py tests/intake/domain/test_danger_corpus.py

races: setup ## let 50 clients ask for one slot, 200 times: one wins each time
	@$(BIN)/python -m tests.races.booking $(ARGS)

code: setup ## print the current six digits for the demonstration sign-ins
	@$(MANAGE) demo --codes

lock: setup ## write both requirements files from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## remove the environment and the local database
	@rm -rf .venv .local static-built
