# Every target is one line of what you could type; `make demo` and `make test` work alone on a fresh machine.
PY ?= python3
V := .venv/bin
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: demo test test-all check fix kernels wheel wheel-arm bench bench-peers bench-quality bench-night docs golden stage clean

# Edits to Python need no rebuild; edits to kernels or to the build do.
.venv/ready: pyproject.toml tools/build_kernels.py $(wildcard kernels/*.py)
	test -x $(V)/python || $(PY) -m venv .venv
	$(V)/pip install -q --disable-pip-version-check -e '.[kernels,test,check]'
	touch $@

demo: .venv/ready
	$(V)/lichtbild demo

test: .venv/ready
	$(V)/pytest

test-all: .venv/ready
	$(V)/pytest -m 'slow or not slow'

check: .venv/ready
	$(V)/ruff format --check . && $(V)/ruff check . && $(V)/mypy && $(V)/python tools/docs.py --check

fix: .venv/ready
	$(V)/ruff format . && $(V)/ruff check --fix .

kernels: .venv/ready
	$(V)/python tools/build_kernels.py

wheel: .venv/ready
	$(V)/pip wheel -q --no-deps -w dist .

wheel-arm: .venv/ready
	LICHTBILD_TARGET=arm-64-linux $(V)/pip wheel -q --no-deps -w dist .

bench: .venv/ready
	$(V)/python -m bench

bench-night: .venv/ready
	$(V)/python -m bench.night --full

bench-quality: .venv/ready
	$(V)/python -m bench.quality && $(V)/python -m bench.white

bench-peers: .venv/ready
	apt-get install -y -q darktable rawtherapee && $(V)/python -m bench --peers

docs: .venv/ready
	$(V)/python tools/docs.py

golden: .venv/ready
	$(V)/python tests/golden.py

stage:
	$(PY) tools/stage.py $(NAME)

clean:
	rm -rf .venv build dist src/lichtbild/_kernels.so
