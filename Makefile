# The commands of the README. Everything is made once and again only when what it is made from has changed.
PYTHON ?= python3
UV_VERSION := 0.13.9
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Nothing that another project's shell has set leads ours astray.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

WEB_SOURCES := $(shell find web/src web/static -type f 2>/dev/null) $(wildcard web/*.ts web/*.json)
CLEAN_INDEX := env -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_INDEX -u UV_EXTRA_INDEX_URL
# Programs run in a sandbox that needs this; without it the server refuses runs and says why.
SANDBOX := libseccomp2
# The Debian packages of tier S, as the runtime files name them; docs/languages.md tells what tiers are.
TIER_S := bash bc binutils dash g++ gawk gcc gforth jq libc6-dev lua5.4 luajit make nasm perl php-cli python3 ruby \
	sed sqlite3 tcl
# What tests need beyond that: real servers, a real browser, and the languages that they run.
FOR_TESTS := $(SANDBOX) postgresql-15 redis-server chromium default-jdk-headless $(TIER_S)
# What only the long form of the proofs needs.
FOR_SOAK := $(FOR_TESTS) varnish varnish-modules
# As in `make test ARGS="tests/app -k metrics"` or `make bench ARGS=quick`.
ARGS ?=
# Processes that share the tests; docs/development.md tells what a test must not do for that.
TEST_PROCESSES ?= 2

.DELETE_ON_ERROR:
.PHONY: run setup test check format bench soak wheel lock docs openapi clean

run: setup web/build/200.html
	@tools/debian-packages $(SANDBOX) || echo 'Until then programs cannot be run; everything else works.' >&2
	@exec ocp serve

setup: .venv/synced web/node_modules/installed

test: setup web/build/200.html tests/clients/node_modules/installed
	@tools/debian-packages $(FOR_TESTS)
	cd web && npm test --silent
	python -m pytest -n $(TEST_PROCESSES) $(ARGS)

check: setup
	ruff check .
	ruff format --check --quiet .
	basedpyright
	lint-imports
	tools/check-shell
	cd web && npm run check --silent

format: .venv/synced
	ruff check --fix --quiet .
	ruff format .

bench: setup
	@tools/debian-packages $(SANDBOX)
	@python -m benchmarks $(ARGS)

# The long form of the proofs: many seeds, many minutes.
soak: setup web/build/200.html tests/clients/node_modules/installed
	@tools/debian-packages $(FOR_SOAK)
	python -m pytest -m soak $(ARGS)

wheel: setup web/build/200.html
	python -m build --wheel --no-isolation --outdir dist .

# What is generated from the code and committed, so that a change of it is seen.
docs: .venv/synced
	python -m tools.settings_page
	python -m tools.errors_page
	python -m tools.languages_page
	python -m tools.ai_page

openapi: setup
	python -m tools.openapi_page >openapi.json
	cd web && npm run generate --silent

lock: .venv/bin/uv
	$(CLEAN_INDEX) uv pip compile pyproject.toml --extra telemetry --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-config --quiet -o requirements.lock
	cd web && npm install --package-lock-only --loglevel=error && npm ci --dry-run --loglevel=error >/dev/null

clean:
	rm -rf .venv web/node_modules web/build web/.svelte-kit dist

.venv/bin/uv:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tools/debian-packages python3-venv
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/synced: requirements.lock pyproject.toml tools/wheel_hook.py .venv/bin/uv
	uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

web/node_modules/installed: web/package-lock.json web/.npmrc | .venv/synced
	cd web && npm ci --loglevel=error
	@touch $@

# Stock clients of documents and of AI models, which tests hold against the server.
tests/clients/node_modules/installed: tests/clients/package-lock.json tests/clients/.npmrc | .venv/synced
	cd tests/clients && npm ci --loglevel=error
	@touch $@

web/build/200.html: $(WEB_SOURCES) web/node_modules/installed
	cd web && npm run build --silent
	@touch $@
