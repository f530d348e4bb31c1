PYTHON ?= python3
UV_VERSION := 0.13.9
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV := $(CURDIR)/.venv
export PATH := $(CURDIR)/.venv/bin:$(PATH)
WEB_SOURCES := $(shell find web/src web/static -type f 2>/dev/null) $(wildcard web/*.ts web/*.json)
CLEAN_INDEX := env -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_INDEX -u UV_EXTRA_INDEX_URL
.DELETE_ON_ERROR:
.PHONY: run test check bench soak setup lock format wheel openapi clean

run: setup web/build/200.html
	@exec ocp serve

setup: .venv/synced web/node_modules/installed

.venv/bin/uv:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tools/debian-packages python3-venv
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/synced: requirements.lock pyproject.toml .venv/bin/uv
	uv pip sync --quiet --require-hashes requirements.lock
	uv pip install --quiet --no-deps --editable .
	@touch $@

web/node_modules/installed: web/package-lock.json web/.npmrc .venv/synced
	cd web && npm ci --loglevel=error
	@touch $@

web/build/200.html: $(WEB_SOURCES) web/node_modules/installed
	cd web && npm run build --silent

bench: .venv/synced
	@python -m benchmarks $(ARGS)

lock: .venv/bin/uv
	$(CLEAN_INDEX) uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-config --quiet -o requirements.lock
	cd web && npm install --package-lock-only --loglevel=error && npm ci --dry-run --loglevel=error >/dev/null
