# 银耀奉节: `make run` is all it takes. Paths are relative, so the checkout's may hold a blank.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run services stop test test-slow check bench venv chromium handbook
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
# Compiled code is kept: without it every process of ours starts three seconds later.
export PYTHONDONTWRITEBYTECODE :=
HOLD := $(PYTHON) -m fengjie_cadres.services hold --

help:
	@echo 'make run        启动系统（网页、后台任务、定时任务）；PORT=8001 换端口，HOST=0.0.0.0 对外'
	@echo 'make services   只启动 PostgreSQL 和 Valkey，直到 make stop'
	@echo 'make stop       停止 PostgreSQL 和 Valkey'
	@echo 'make test       测试；make test-slow 慢的测试；ARGS="-k 名字" 挑选'
	@echo 'make check      代码检查（不需要数据库）'
	@echo 'make bench      性能测量；ONLY="名字" 挑选'
	@echo 'make handbook   从正在运行的 make run 截取手册图片（PORT 相同）'
	@echo 'make venv       只准备 .venv'

# pyenv leaves a python3.11 on PATH that may not work: the first one that runs is taken.
venv:
	@for p in python3.11 python3.12 python3.13 python3; do \
	    if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        exec "$$p" deploy/venv.py; \
	    fi; \
	done; echo '需要 Python 3.11 或更高版本。' >&2; exit 1

run: venv
	@exec $(PYTHON) -m fengjie_cadres.run

services: venv
	@exec $(PYTHON) -m fengjie_cadres.services up

stop: venv
	@exec $(PYTHON) -m fengjie_cadres.services down

chromium:
	@exec sh deploy/chromium.sh

test: venv chromium
	@exec $(HOLD) $(PYTHON) -m pytest -n 2 --dist worksteal -m "not slow" $(ARGS)

test-slow: venv chromium
	@exec $(HOLD) $(PYTHON) -m pytest -n 2 --dist worksteal -m slow $(ARGS)

# SECRET_KEY: settings need one, and the services that make it are not up here. The warning
# silenced says that the database cannot be asked which migrations it has.
check: export SECRET_KEY = check
check: venv
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(PYTHON) -m pytest -q fengjie_cadres/tests/test_architecture.py

bench: venv
	@exec $(HOLD) $(PYTHON) -m bench $(ONLY)

handbook: venv chromium
	@exec $(PYTHON) docs/handbook/shots.py
