# Two commands: `make run` and `make test`. Both install what is missing first.

SWIFT   ?= swift
RELEASE := .build/release
DEBUG   := .build/debug

# The program carries the Swift standard library: one file to install, stripped of its symbols. It exports none either,
# so what nobody calls is left out.
RELEASE_FLAGS := -c release --product vault --static-swift-stdlib -Xlinker -s -Xlinker --no-export-dynamic

.PHONY: help run build install test fault torture contract bench sanitize lint format setup clean

help:
	@echo "make run     build, then serve the vault with its sandbox on http://127.0.0.1:8000"
	@echo "make build   the program at $(RELEASE)/vault, the plugins in $(RELEASE)/plugins"
	@echo "make install the same under DESTDIR, where Packaging/vault.service looks for it; as root"
	@echo "make test    build and run the whole test suite"
	@echo "make fault   the faults again, longer: power cuts, kills, full disks, slow clients, fuzzing; four minutes, two more after a change"
	@echo "make torture refreshes in trouble: 10,000 users, a failing provider, kill -9 at every step, 1,000 reloads; fifteen minutes"
	@echo "make contract requests made up from openapi.json for ten minutes: no answer may be other than it says"
	@echo "make bench   the figures beside C, Hummingbird and Python; ten minutes, BENCH=long an hour"
	@echo "make sanitize the suites under ThreadSanitizer and AddressSanitizer; long, everything is compiled anew"
	@echo "make lint    swift-format in lint mode, shell and Python checks"
	@echo "make format  swift-format in place"
	@echo "make clean   remove what was built; your vault stays"

setup:
	@sh Packaging/setup.sh build

build: setup
	@echo "vault: building the release; the first time takes about ten minutes on two cores"
	$(SWIFT) build $(RELEASE_FLAGS)
	sh Plugins/build.sh $(RELEASE)/plugins

# Installs what `make build` left, so that root need not build: sudo make install
install:
	@[ -x $(RELEASE)/vault ] || { echo "vault: error: nothing is built yet" >&2; echo "vault: hint: make build, then make install" >&2; exit 1; }
	@sh Packaging/install.sh $(RELEASE) "$(DESTDIR)"

# Key and store are where vault.conf says, so that commands beside the server find them.
run: build
	@exec $(RELEASE)/vault serve --sandbox --demo --init-if-missing --config vault.conf \
	    --plugins-path $(RELEASE)/plugins

# Tests that talk to servers by the real clock, apart from those that keep every thread busy for long.
CLOCKED := ^(VaultTests|VaultHTTPTests|VaultTestingTests)\.

test: setup
	@sh Packaging/setup.sh test
	$(SWIFT) build --build-tests
	sh Plugins/build.sh $(DEBUG)/plugins
	PATH="$(CURDIR)/.build/e2e-venv/bin:$$PATH" $(SWIFT) test --skip-build --filter '$(CLOCKED)'
	PATH="$(CURDIR)/.build/e2e-venv/bin:$$PATH" $(SWIFT) test --skip-build --skip '$(CLOCKED)|^EndToEndTests\.'
	$(SWIFT) test --skip-build --filter EndToEndTests
	@sh Tests/Fuzz/run.sh 2

# The short form of each is in `make test` (`FaultTests` for kills and the full disk). Every harness is also run against something broken, and must notice.
FAULT_SUITES := LMDBPowerCutTests|LMDBFailingCallTests|LMDBKillTests|LMDBDamageTests|StoreFaultTests|Backup[A-Za-z]*Tests|ClockTests
SCENARIOS := Tests/EndToEndTests/Scenarios

fault: setup
	@sh Packaging/setup.sh test
	$(SWIFT) build --build-tests
	VAULT_FAULT_SEEDS=12 VAULT_FAULT_CASES=600 $(SWIFT) test --skip-build --filter '$(FAULT_SUITES)'
	@python3 $(SCENARIOS)/fault_kills.py $(DEBUG)/vault $(DEBUG)/plugins 25 || test $$? = 77
	@python3 $(SCENARIOS)/fault_full_disk.py $(DEBUG)/vault $(DEBUG)/plugins || test $$? = 77
	@python3 $(SCENARIOS)/fault_guard_rails.py $(DEBUG)/vault $(DEBUG)/plugins || test $$? = 77
	@python3 $(SCENARIOS)/fault_slow_clients.py $(DEBUG)/vault $(DEBUG)/plugins || test $$? = 77
	@sh Tests/Fuzz/run.sh 6

torture: setup
	@sh Packaging/setup.sh test
	$(SWIFT) build --product vault
	sh Plugins/build.sh $(DEBUG)/plugins
	@python3 $(SCENARIOS)/torture_refresh.py $(DEBUG)/vault $(DEBUG)/plugins
	@python3 $(SCENARIOS)/torture_kills.py $(DEBUG)/vault $(DEBUG)/plugins 180 || test $$? = 77
	@python3 $(SCENARIOS)/torture_crowd.py $(DEBUG)/vault $(DEBUG)/plugins 10000 180
	@python3 $(SCENARIOS)/torture_reload.py $(DEBUG)/vault $(DEBUG)/plugins 1000

# What is measured, how, and how to read it: Benchmarks/README.md.
BENCH ?= short

bench: build
	@sh Benchmarks/run.sh --$(BENCH)

sanitize: setup
	@sh Packaging/setup.sh test
	sh Tests/Sanitizers/run.sh thread
	sh Tests/Sanitizers/run.sh address

# schemathesis; six seconds of it are in `make test`.
contract: setup
	@sh Packaging/setup.sh test
	$(SWIFT) build
	sh Plugins/build.sh $(DEBUG)/plugins
	@PATH="$(CURDIR)/.build/e2e-venv/bin:$$PATH" python3 $(SCENARIOS)/contract_test.py \
	    $(DEBUG)/vault $(DEBUG)/plugins 600 || test $$? = 77

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Plugins Tests Benchmarks
	@sh Packaging/lint.sh

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Plugins Tests Benchmarks

clean:
	rm -rf .build
