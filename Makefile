# Each line calls the real tool; nothing else is hidden here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test check bench dev lock schemas browser clean
.DEFAULT_GOAL := demo

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY)          ## run the example study; ends with the path of its report
	$(BIN)/peerimpact run examples/harbour

test: $(READY) browser  ## the whole test suite
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

check: $(READY)         ## style, types, and documents that are written from code
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/python -m pipelines.schemas --check docs
	$(BIN)/python -m reports.messages check

bench: $(READY)        ## a million people from Parquet to scores, step by step; then mixed models against peers; half an hour
	$(BIN)/python -m benchmarks.take_in_answers
	$(BIN)/python -m benchmarks.check_contracts
	$(BIN)/python -m benchmarks.score_answers
	$(BIN)/python -m benchmarks.compare_engines

dev: $(READY)           ## Dagster user interface with the example study, on this machine only
	$(BIN)/peerimpact dev

lock: $(READY)          ## pin every dependency with hashes
	$(BIN)/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --extra dev pyproject.toml -o requirements.lock

schemas: $(READY)       ## JSON Schemas of study.yaml and sap.yaml, for editors
	$(BIN)/python -m pipelines.schemas docs

browser:                ## a Chromium, and Pango for PDF, for the tests that look at the report; without Chromium they are skipped with a reason
	@{ command -v chromium && command -v pdftotext && $(BIN)/python -c 'import weasyprint'; } >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium poppler-utils libpango-1.0-0 libpangoft2-1.0-0 >/dev/null; } \
	  || echo "No Chromium, pdftotext or Pango found: install Debian's packages 'chromium', 'poppler-utils' and 'libpangoft2-1.0-0' for the tests of pages and PDF."

clean:                  ## remove what make and runs wrote
	rm -rf $(VENV) .dagster .pytest_cache .mypy_cache .ruff_cache examples/*/output
