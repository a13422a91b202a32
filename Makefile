# The front door. `make help` says what there is; meson and ninja do the work behind it.
.DEFAULT_GOAL := all
.PHONY: all setup demo test soak fuzz bench bench-path lint format tidy ledger install clean help configure

BUILD  ?= build
MESON  ?= $(firstword $(wildcard /usr/bin/meson) meson)
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
NINJA  ?= $(firstword $(wildcard /usr/bin/ninja) ninja)
PREFIX ?= /usr/local
# The core is many small files: without link-time optimization it runs at two thirds of its speed.
LTO    ?= $(if $(findstring clang,$(CC)),,-Db_lto=true)

# $(call configure,TREE,OPTIONS): sets TREE up, or again when files came or went or OPTIONS changed.
configure = @MESON='$(MESON)' PYTHON='$(PYTHON)' tools/configure '$(1)' $(2)

all: setup-build configure   ## build everything; the command is build/weir (the default)
	@$(NINJA) -C $(BUILD)

configure: setup-build
	$(call configure,$(BUILD),--prefix=$(PREFIX) -Dtests=disabled $(LTO))

setup:                       ## install all packages that building, tests, benches and checks need
	@scripts/setup build test bench lint demo

setup-%:
	@scripts/setup $*

demo: setup-demo all         ## see it work, in a minute, without root
	@tools/demo

test: setup-build setup-test ## run every test under ASan and UBSan;  T=unit  T=unit/base/ring  chooses
	$(call configure,build-test,-Doptimization=1 -Db_sanitize=address$(comma)undefined -Db_lundef=false -Dtests=enabled)
	@$(PYTHON) tools/test.py --build build-test $(T)

# The worlds of `make test` are the first 10,000.
N     ?= 10000
FIRST ?= 10001
soak: setup-build setup-test ## N random worlds under sanitizers, N as it is shipped;  N=10000  FIRST=10001
	$(call configure,build-test,-Doptimization=1 -Db_sanitize=address$(comma)undefined -Db_lundef=false -Dtests=enabled)
	$(call configure,build-soak,-Dtests=enabled -Dexamples=false $(LTO))
	@$(NINJA) -C build-test tests/lab-soak >/dev/null && $(NINJA) -C build-soak tests/lab-soak >/dev/null
	@$(PYTHON) tools/soak.py --first $(FIRST) --count $(N) build-test/tests/lab-soak build-soak/tests/lab-soak

# The harnesses are tests/fuzz/*.c. What was found before is kept and is where the next run begins.
F       ?= wire_lane
SECONDS ?= 60
fuzz: setup-lint setup-test  ## feed a harness with what libFuzzer thinks of;  F=wire_lane  SECONDS=60
	@CC=clang MESON='$(MESON)' PYTHON='$(PYTHON)' tools/configure build-fuzz -Doptimization=1 -Db_sanitize=address$(comma)undefined -Db_lundef=false -Dtests=enabled -Dfuzz=true -Dexamples=false
	@$(NINJA) -C build-fuzz tests/fuzz-$(F) >/dev/null && mkdir -p build-fuzz/corpus/$(F)
	@cd build-fuzz && tests/fuzz-$(F) -max_total_time=$(SECONDS) -timeout=10 -print_final_stats=1 corpus/$(F)

bench: setup-bench           ## measure, with the flags that are shipped
	$(call configure,build-bench,-Dbench=true -Dexamples=false -Dtests=disabled $(LTO))
	@$(NINJA) -C build-bench
	@$(PYTHON) bench/run.py --build build-bench $(ARGS)

bench-path: setup-bench      ## weir and the kernel as senders over the same impaired links;  ARGS=--quick
	$(call configure,build-bench,-Dbench=true -Dexamples=false -Dtests=disabled $(LTO))
	@$(NINJA) -C build-bench
	@$(PYTHON) bench/path.py --build build-bench $(ARGS)

lint: setup-build setup-test setup-lint ## format, layers and sizes, cppcheck, gcc and clang without a warning
	@MESON='$(MESON)' PYTHON='$(PYTHON)' NINJA='$(NINJA)' tools/lint

format: setup-lint           ## let clang-format write
	@git ls-files -co --exclude-standard -- '*.c' '*.h' | xargs -r clang-format -i

tidy:                        ## layers, sizes and names only (a second or two)
	@$(PYTHON) tools/tidy.py

ledger:                      ## which requirements are proven by which tests
	@$(PYTHON) tools/rfc-trace.py

install: all                 ## install to PREFIX (/usr/local), also under DESTDIR
	@DESTDIR='$(DESTDIR)' $(MESON) install -C $(BUILD) --no-rebuild --quiet
	@[ -n '$(DESTDIR)' ] || [ "$$(id -u)" != 0 ] || ldconfig
	@echo 'installed to $(DESTDIR)$(PREFIX)'

clean:                       ## remove every build tree
	rm -rf build build-*/

help:                        ## this list
	@echo 'make TARGET:'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

comma := ,
