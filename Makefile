# Two commands do everything on a fresh machine:
#   make certify   boot the virtual lab, certify the reference router, write the PDF
#   make test      the checks: ruff, mypy, unit tests, lab tests
# Root (or sudo) is used for one thing only: installing Debian packages that are missing.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/installed
RUN_ARGS ?=

# What the lab boots with, what runs in it, and what builds and reads the report.
PACKAGES := user-mode-linux qemu-system-x86 busybox-static cpio kmod xz-utils gcc libc6-dev \
            udev dmsetup iproute2 procps multipath-tools sg3-utils fio poppler-utils libiscsi-bin

# What a lab of the topology cluster needs beside that.
CLUSTER_PACKAGES := open-iscsi dropbear-bin openssh-client

# What the checks need beside that: the report's page for screens is tried in a browser.
TEST_PACKAGES := chromium $(CLUSTER_PACKAGES)

# What the targets tcmu-runner, tcmu-runner-tuned and reference-router-iscsi need beside that.
PEER_PACKAGES := tcmu-runner dbus-daemon open-iscsi

# What `certify run --application postgresql` needs.
APPLICATION_PACKAGES := postgresql-15

.PHONY: certify test extended setup packages peers cluster applications bench compile clean help

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

certify: setup ## boot the virtual lab, certify the reference router, write the PDF
	@"$(VENV)/bin/certify" run --destroy $(RUN_ARGS)

test: setup ## run the checks (.ci/run calls this)
	@$(MAKE) --no-print-directory packages PACKAGES="$(TEST_PACKAGES)"
	@"$(VENV)/bin/tox" run $(TOX_ARGS)

extended: setup applications ## run the lab tests that are not among the checks yet
	@"$(VENV)/bin/tox" run -e extended $(TOX_ARGS)

bench: setup ## print speeds of the router, of LIO and of LIO over MD RAID-1, from one run in one guest; of the judge; of the report of a large run
	@"$(VENV)/bin/certify" lab bench $(RUN_ARGS)
	@"$(VENV)/bin/python" -m certify.bench_checker
	@"$(VENV)/bin/python" -m certify.bench_report

compile: setup ## build the router's hot modules with mypyc, in place (make clean undoes it)
	@ZEROSTALL_COMPILE=1 "$(VENV)/bin/python" -m pip install -q --disable-pip-version-check --no-deps -e .

setup: packages $(STAMP) ## install what is missing

peers: ## install what targets beside the kernel's own parts and the router need
	@$(MAKE) --no-print-directory packages PACKAGES="$(PEER_PACKAGES)"

cluster: ## install what a lab of the topology cluster needs
	@$(MAKE) --no-print-directory packages PACKAGES="$(CLUSTER_PACKAGES)"

# Where Debian's PostgreSQL is new, it is not to make and start a cluster of the machine's own.
applications: ## install what --application needs
	@if ! dpkg-query -W -f '$${db:Status-Status}\n' postgresql-common 2>/dev/null | grep -qx installed; then \
	    $(MAKE) --no-print-directory packages PACKAGES=postgresql-common && \
	    if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
	    $$root pg_conftool /etc/postgresql-common/createcluster.conf set create_main_cluster false; \
	fi
	@$(MAKE) --no-print-directory packages PACKAGES="$(APPLICATION_PACKAGES)"

packages:
	@missing=$$(for name in $(PACKAGES); do \
	    dpkg-query -W -f '$${db:Status-Status}\n' "$$name" 2>/dev/null | grep -qx installed || echo "$$name"; \
	done); \
	if [ -n "$$missing" ]; then \
	    if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
	    echo "installing Debian packages:" $$missing; \
	    log=$$(mktemp); \
	    { $$root apt-get update -q && \
	      DEBIAN_FRONTEND=noninteractive $$root apt-get install -q -y --no-install-recommends $$missing; \
	    } >"$$log" 2>&1 </dev/null || { cat "$$log"; rm -f "$$log"; \
	        echo "make: these Debian packages are missing and could not be installed:" $$missing; exit 1; }; \
	    rm -f "$$log"; \
	fi

$(STAMP): pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python >= 3.11 is needed; $(PYTHON) is {sys.version.split()[0]}" or 0)'
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || { echo "make: $(PYTHON) has no ensurepip; install the Debian package python3-venv"; exit 1; }
	@echo "making the virtual environment $(VENV)"
	@"$(PYTHON)" -m venv "$(VENV)"
	@"$(VENV)/bin/python" -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch "$(STAMP)"

clean: ## remove what the project made: environment, caches (not runs/)
	rm -rf "$(VENV)" .cache .tox .mypy_cache .ruff_cache .pytest_cache ./*.egg-info build ./*.so reference_router/*.so
