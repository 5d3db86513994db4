# Needs git, make, Node 18 or later and npm. Everything else comes by `npm ci`, among it the Node 24 that runs the
# build and the tests and becomes the base of the binary, or by scripts/install-packages.

# npm sets variables of its own and of its user's configuration; neither may change what is built.
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh
.DELETE_ON_ERROR:

BIN := dist/frontik-supervisor
TOOLS := node_modules/.bin
NODE := $(TOOLS)/node
STAMP := node_modules/.installed
SOURCES := $(shell find src build -type f -not -path 'build/deb/*' -not -path 'build/example-app/*')
FAST := test/unit test/story test/property
SLOW := test/fault test/integration test/e2e

# The real files of the given folders; a folder that does not exist is empty.
tests = $(sort $(foreach folder,$(1),$(shell find $(folder) -name '*.test.ts' 2>/dev/null)))

.PHONY: binary deb deb-arm64 example-app check test test-package test-package-all test-rolling test-systemd fuzz soak bench demo clean types lint unit format

binary: $(BIN)

# `npm ci` removes node_modules first, the stamp with it, so an installation cut short is never taken for a whole one.
$(STAMP): package.json package-lock.json .npmrc
	npm ci --no-progress --loglevel=error
	touch $@

# The version contains the commit, so a new commit is a new binary. The file changes only when that text changes.
dist/version: always $(STAMP)
	@$(NODE) build/version.ts $@
.PHONY: always

$(BIN): $(STAMP) $(SOURCES) dist/version
	scripts/install-packages build
	$(NODE) build/binary.ts $@

# DEB_COMPRESSION=zstd takes a second instead of a minute, and makes a package 11 MB larger that Debian 12 is the first to read.
DEB_COMPRESSION ?= xz
export DEB_COMPRESSION

deb: $(BIN)
	scripts/install-packages build
	$(NODE) build/deb.ts $(BIN) amd64 dist

# Built and tried under qemu. Its Node comes from npm, too.
$(BIN)-arm64: $(STAMP) $(SOURCES) dist/version
	scripts/install-packages build arm64
	$(NODE) build/binary.ts $@ arm64

deb-arm64: $(BIN)-arm64
	$(NODE) build/deb.ts $(BIN)-arm64 arm64 dist

example-app: $(STAMP)
	mkdir -p dist
	epoch=$$($(NODE) build/epoch.ts) && SOURCE_DATE_EPOCH=$$epoch build/example-app/make-deb 1.0 dist

types: $(STAMP)
	$(TOOLS)/tsc

lint: $(STAMP)
	$(TOOLS)/biome ci --error-on-warnings
	$(TOOLS)/oxlint --deny-warnings

unit: $(STAMP)
	$(NODE) --test --test-concurrency=2 $(call tests,$(FAST))

check: types lint unit

# Of the packages, what is short: all of it on one system. Without root, which alone can boot one, that is skipped.
test: types lint $(BIN)
	scripts/install-packages workers build
	[ "$$(id -u)" -ne 0 ] || scripts/install-packages roots packages
	FRONTIK_SUPERVISOR_BIN="$${FRONTIK_SUPERVISOR_BIN:-$(CURDIR)/$(BIN)}" FRONTIK_VARIANTS=bookworm-systemd $(NODE) --test \
	  --test-concurrency=2 test/package/matrix.test.ts test/package/deb-files.test.ts $(call tests,$(FAST) $(SLOW))

# Minutes under load behind nginx and HAProxy; prints what rolling restarts, a restart and a kill -9 cost.
test-rolling: $(BIN)
	scripts/install-packages workers proxies
	FRONTIK_SUPERVISOR_BIN="$${FRONTIK_SUPERVISOR_BIN:-$(CURDIR)/$(BIN)}" $(NODE) --test --test-concurrency=1 $(call tests,test/rolling)

# Builds the packages, has Debian's own checks look at them, and installs, upgrades, removes and purges them in Debian roots in
# which no init runs, and on booted systems; goes through Pacemaker's checklist. The first time it makes the roots below
# dist/roots. Needs root. test-package-all also breaks releases, calls launchers by hand, and forms a cluster with Pacemaker.
PACKAGE := test/package/deb*.test.ts test/package/matrix.test.ts test/package/pacemaker-checklist.test.ts
test-package-all: PACKAGE += test/package/matrix-*.test.ts test/package/by-hand.test.ts test/package/pacemaker.test.ts
test-package test-package-all: $(BIN)
	scripts/install-packages build roots packages
	FRONTIK_SUPERVISOR_BIN="$${FRONTIK_SUPERVISOR_BIN:-$(CURDIR)/$(BIN)}" $(NODE) --test --test-concurrency=1 $(wildcard $(PACKAGE))

# Boots Debian with systemd 252, with a systemd that knows no init scripts, and with sysvinit, in namespaces; the first time it
# makes their roots below dist/roots. Needs root.
test-systemd: $(BIN)
	scripts/install-packages roots
	FRONTIK_SUPERVISOR_BIN="$${FRONTIK_SUPERVISOR_BIN:-$(CURDIR)/$(BIN)}" $(NODE) --test --test-concurrency=1 \
	  $(wildcard test/package/boot.test.ts test/package/generator.test.ts test/package/systemd*.test.ts)

soak: $(BIN)
	scripts/install-packages workers
	$(NODE) scripts/soak.ts

dist/bench/hello: $(STAMP) build/hello.ts build/sea.ts build/strip.ts
	scripts/install-packages build
	$(NODE) build/hello.ts dist/bench

fuzz: $(STAMP)
	FUZZ=33 $(NODE) --test --test-concurrency=2 $(sort $(wildcard test/property/*.test.ts))

bench: $(BIN) dist/bench/hello
	scripts/install-packages workers
	$(NODE) scripts/bench-startup.ts
	$(NODE) scripts/bench-run.ts

demo: $(BIN)
	scripts/install-packages workers
	scripts/demo

format: $(STAMP)
	$(TOOLS)/biome check --write

clean:
	rm -rf dist
