# Everything a person does with this repository. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# Data of `make run`; remove the folder to begin anew.
DATA_DIR ?= .mirage
EXAMPLE ?= specs/examples/monorepo.yaml
SPEED ?= 20
SEEDS ?= 0..500
# For each target of `make fuzz`.
SECONDS ?= 60

# Built anew only when something of it has changed.
DASHBOARD := $(shell find dashboard/src dashboard/public dashboard/schema dashboard/scripts specs/templates -type f 2>/dev/null) \
  dashboard/index.html dashboard/package-lock.json dashboard/vite.config.ts dashboard/tsconfig.json

.PHONY: help dashboard journeys run build test lint fmt bench bench-dashboard simulate fuzz docs clean-data

help: ## Show this
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dashboard: dashboard/dist/index.html ## Build the dashboard into dashboard/dist, from where the binary takes it (needs Node 20)

dashboard/node_modules/.package-lock.json: dashboard/package-lock.json
	cd dashboard && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || { \
	  echo "The dashboard's packages cannot be had from npm's registry. Without a dashboard: make $(MAKECMDGOALS) WITH_DASHBOARD=" >&2; exit 1; }
	@touch $@

dashboard/dist/index.html: dashboard/node_modules/.package-lock.json $(DASHBOARD)
	cd dashboard && npm run --silent build
	@touch $@

# Where Cargo leaves it, for the shell of a recipe.
BINARY = $$($(CARGO) metadata --no-deps --offline --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/mirage

# Without Node the binary is built all the same, and says where its dashboard would be how to build it.
ifeq ($(shell node -p 'const [major, minor] = process.versions.node.split(".").map(Number); major > 20 || (major === 20 && minor >= 19)' 2>/dev/null),true)
WITH_DASHBOARD := dashboard
endif

run: build ## Start Mirage with a simulated Railway, apply an example, show it become ready, stay up
	@DATA_DIR="$(DATA_DIR)" EXAMPLE="$(EXAMPLE)" SPEED="$(SPEED)" MIRAGE="$(BINARY)" deploy/run.sh

build: $(WITH_DASHBOARD) ## Compile the binary, with the dashboard where there is Node
	@[ -n "$(WITH_DASHBOARD)" ] || echo "NOTE: built without a new dashboard, which takes Node 20.19 or later with npm." >&2
	$(CARGO) build --locked -p mirage

test: $(WITH_DASHBOARD) ## Run every test (installs what the tests need and can be installed)
	@deploy/test-tools.sh
	@CARGO="$(CARGO)" deploy/test-rust.sh
	@MIRAGE_BINARY="$(BINARY)" deploy/test-dashboard.sh

journeys: $(WITH_DASHBOARD) ## Test the dashboard: its logic, and journeys through the real binary in a real browser
	@CARGO="$(CARGO)" deploy/test-dashboard.sh

lint: ## Check formatting, lints and (where cargo-deny is at hand) licences and advisories
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@if [ -d dashboard/node_modules ]; then cd dashboard && npm run --silent check; fi
	@if command -v cargo-deny >/dev/null; then \
	  cargo deny --all-features check bans licenses sources; \
	else \
	  echo "==================================================================" >&2; \
	  echo "NOT CHECKED: licences, bans and sources. cargo-deny is not at hand;" >&2; \
	  echo "install it with: cargo install --locked cargo-deny" >&2; \
	  echo "==================================================================" >&2; \
	fi

fmt: ## Format the code
	$(CARGO) fmt --all

bench: $(WITH_DASHBOARD) ## Print what Mirage costs: requests, counted; deciding; its store beside etcd; ten minutes of its dashboard
	$(CARGO) run --locked -p mirage-tests --bin bench
	$(CARGO) bench --locked -p mirage-reconcilers --bench decide
	@deploy/bench-tools.sh
	$(CARGO) build --release --locked -p mirage -p mirage-tests --features mirage-tests/etcd-bench --bin mirage --bin bench_etcd
	$${CARGO_TARGET_DIR:-target}/release/bench_etcd
	@MIRAGE_SCALE_SECONDS=600 MIRAGE_BINARY="$$(realpath $${CARGO_TARGET_DIR:-target}/release/mirage)" deploy/test-dashboard.sh scale

simulate: ## Replay histories of the seeded world: make simulate SEEDS=0..10000, or SEEDS=4711
	MIRAGE_SEEDS="$(SEEDS)" $(CARGO) test --locked -p mirage-tests --test simulation world:: -- --nocapture

bench-dashboard: $(WITH_DASHBOARD) ## Measure the dashboard with 1,000 environments under 20 updates a second, for ten minutes
	@MIRAGE_SCALE_SECONDS=600 CARGO="$(CARGO)" deploy/test-dashboard.sh scale

fuzz: ## Ask the API what nobody would ask, for some time per target: make fuzz SECONDS=600
	@command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is not at hand; install it with: cargo install --locked cargo-fuzz" >&2; exit 1; }
	@cd api && for target in requests selectors bodies protobuf continues; do \
	  echo "== $$target"; \
	  nice $(CARGO) fuzz run --sanitizer none $$target -- -max_total_time=$(SECONDS) -rss_limit_mb=4096; \
	done

docs: build ## Write the generated pages of docs/reference anew
	MIRAGE_BLESS=1 $(CARGO) test --locked -p mirage --test cli reference::

clean-data: ## Forget the data of `make run`
	rm -rf "$(DATA_DIR)"
