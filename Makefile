# SPDX-License-Identifier: Apache-2.0
#
#   make demo [UNTIL=simulate] [DATA=folder-with-MNIST] [IMAGES=100]
#   make test

UNTIL  ?= report
IMAGES ?= 100
DATA   ?=

.PHONY: help demo test check clean

help:
	@echo "make demo    set up, then LeNet-5 from training to a bitstream and a report"
	@echo "             UNTIL=simulate stops there; DATA=DIR takes MNIST from IDX files"
	@echo "make test    set up, then every check and every test"
	@echo "make check   the checks without the tests"
	@echo "make clean   remove results and caches"

demo:
	@scripts/setup
	.venv/bin/intaglio demo --until '$(UNTIL)' -n '$(IMAGES)' $(if $(DATA),--data '$(DATA)')

test:
	@scripts/setup --tests
	@scripts/check

check:
	@scripts/setup
	@scripts/check --static

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
