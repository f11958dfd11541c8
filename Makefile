PY := .venv/bin/python
SETUP := python3 infra/setup/setup.py

.PHONY: help demo up test check lock fresh bench chaos soak edits long fuzz clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## set up, then place a sales and a support call and tell what happens
	@$(SETUP) run && exec .venv/bin/offhook demo

up: ## run the whole gateway on this machine
	@$(SETUP) run && exec .venv/bin/offhook up

test: ## set up, then run every test
	@$(SETUP) dev && $(PY) -m pytest -n 2

check: ## ruff, mypy --strict, import-linter
	@$(SETUP) dev
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

bench: ## measure: plans beside a dict and pygtrie, calls beside a plain livekit-agents agent on the same engines
	@$(SETUP) dev && $(PY) -m pytest -q -m bench tests/contract && $(PY) -m tests.bench

chaos: ## 200 calls while what runs is killed, stopped and cut off, judged by what callers hear; under an hour
	@$(SETUP) dev && $(PY) -m tests.chaos

soak: ## 2,000 calls in bursts of ten a second, and whether all that is held is back at the start's count; half an hour
	@$(SETUP) dev && $(PY) -m tests.soak

edits: ## a thousand edits of the plan while calls come in; about a quarter of an hour
	@$(SETUP) dev && $(PY) -m tests.chaos --edits 1000

long: ## the rest of the tests: calls in every corner, and killed processes; about half an hour
	@$(SETUP) long && $(PY) -m pytest -m long

fuzz: ## atheris on whatever reads what people or the network write, two minutes each; then a storm at a running edge
	@$(SETUP) dev && $(PY) -m tests.fuzz

lock: ## pin requirements/*.in anew, with hashes and without any host
	@for f in run dev go node; do .venv/bin/uv pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --python-version 3.11 requirements/$$f.in -o requirements/$$f.txt; done

fresh: ## prove `make demo` and `make test` in a bare Debian root (needs root and mmdebstrap)
	@infra/setup/fresh.sh

clean: ## remove what set-up and runs made here
	@rm -rf .venv .offhook build *.egg-info
