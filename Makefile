# The commands of the house. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
export FLASK_APP = wsgi

LONG := tests/faults/test_books_of_500_orders.py tests/faults/test_database_away.py tests/faults/test_kill_nine.py tests/e2e/test_pictures.py tests/long
STRANGERS := *test_simulator_* *test_api_fuzz* *test_demo_past*
PAGES := *test_hostile_web* *test_hostile_shopping* *test_hostile_mail* *_pages.py *test_console_* *test_catalogue* *test_billing_house* *test_billing_invoices* *_documents.py *test_floor_crew* *test_account_* *test_price_desk* *test_api_* *test_languages* *_screen.py
PROOFS := *_proofs.py *_bounds.py *_compiling.py *_public.py *_refusals.py *_opendb.py *_two_engines.py *_replay.py *_reasons.py *_big_groups.py *test_configurator_at_once* *test_oracle* *test_rule_rows* *test_open_parts* *test_openapi*
WALKS := *_at_random* *_races* *_at_once* *test_kernel_worker* *_receipts.py *_tracking.py

.DEFAULT_GOAL := help
.PHONY: help setup system demo run test test-long test-fast lint format bench bench-configurator lock messages audit clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/ready ## make .venv from the hashed lock

.venv/ready: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages (a minute or two) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

system: ## install what the tests use from Debian: chromium, hledger, poppler-utils, fonts
	@sh tests/system.sh

demo: setup ## one real order from configuration to delivery, then the shop stays open (ONCE=1 ends)
	@$(BIN)/flask demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

run: setup ## the shop as it was left, with worker, card simulator and shop floor
	@$(BIN)/flask demo --no-story $(if $(PORT),--port $(PORT))

test: setup system lint ## lint, the suite on SQLite with browser and faults, and on PostgreSQL with kill -9
	@$(BIN)/pytest -q -n 2 --dist loadfile $(LONG:%=--ignore=%)
	@$(BIN)/pytest -q -n 2 --dist worksteal --database=postgresql -m "not browser" $(PAGES:%=--ignore-glob=%) $(STRANGERS:%=--ignore-glob=%) $(PROOFS:%=--ignore-glob=%) tests/integration tests/test_migrations.py tests/faults/test_kill_nine.py

test-long: setup system ## what takes minutes more: the long faults on SQLite, and everything on PostgreSQL
	@$(BIN)/pytest -q $(LONG)
	@$(BIN)/pytest -q -n 2 --dist loadfile --database=postgresql --ignore=tests/long --ignore=tests/e2e/test_pictures.py

test-fast: setup ## the core in under a minute: no browser, few pages, SQLite only
	@$(BIN)/pytest -q -n 2 -m "not browser and not slow" $(PAGES:%=--ignore-glob=%) $(STRANGERS:%=--ignore-glob=%) $(PROOFS:%=--ignore-glob=%) $(WALKS:%=--ignore-glob=%) tests/unit tests/integration tests/test_house.py tests/test_routes.py

lint: setup ## ruff, mypy --strict, import contracts, templates
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy configurator storefront premier fulfillment tests wsgi.py
	@$(BIN)/lint-imports --no-cache > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }; rm -f .lint-imports.log
	@$(BIN)/djlint --lint --quiet storefront configurator fulfillment/console

format: setup ## sort imports and mend what ruff can mend
	@$(BIN)/ruff check --fix .

bench-configurator: setup ## the engine side by side with PySAT, CP-SAT and CUDD; a click over HTTP
	@$(BIN)/python -m tests.bench.configurator

bench: setup ## speed and memory, as medians of several runs
	@$(BIN)/python -m tests.bench

lock: setup ## compile requirements.txt from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --quiet -o requirements.txt

messages: setup ## collect the sentences of pages, mails and refusals into the catalogues
	@$(BIN)/python -m babel.messages.frontend -q extract -F tests/babel.cfg --sort-output --no-location -k _l -k lazy_gettext -k lazy_pgettext:1c,2 -k lazy_ngettext:1,2 -o .messages.pot .
	@$(BIN)/python -m babel.messages.frontend -q update -i .messages.pot -d storefront/translations --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@rm .messages.pot

audit: setup ## known vulnerabilities of the locked packages
	@$(BIN)/pip-audit -r requirements.txt --disable-pip

clean: ## remove what the demo and the tests left
	@rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis
