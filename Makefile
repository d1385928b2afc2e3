# The same commands as .ci/run, one by one; `make check` is what to run before a commit.
PYTHON = .venv/bin/python
BIN = .venv/bin

.PHONY: check format lint types floors test slow golden picture bench wheel clean

check: format lint types floors test

.venv/bin/symgrad: pyproject.toml constraints.txt
	scripts/set-up
	touch $@

format: .venv/bin/symgrad
	$(BIN)/ruff format .

lint: .venv/bin/symgrad
	$(BIN)/ruff check .

types: .venv/bin/symgrad
	$(BIN)/mypy --strict symgrad cli

floors: .venv/bin/symgrad
	$(BIN)/lint-imports

test: .venv/bin/symgrad
	$(PYTHON) -m pytest -q -n 2

slow: .venv/bin/symgrad
	$(PYTHON) -m pytest -q -n 2 -m slow

# emitted code that the golden tests compare with, written anew: read the diff before you commit it
golden: .venv/bin/symgrad
	$(PYTHON) -m pytest -q tests/golden --snapshot-update

# the picture at the top of the README; needs a TeX engine and pdftoppm
picture: .venv/bin/symgrad
	$(BIN)/symgrad derive softmax_cross_entropy --out build --force
	pdftoppm -png -r 80 -f 1 -l 1 -singlefile build/softmax_cross_entropy/report.pdf docs/report

# tables of docs/ and benchmarks/results: kernels against those of others (minutes)
bench: .venv/bin/symgrad
	$(PYTHON) -m benchmarks.accuracy
	$(PYTHON) -m benchmarks.convolutions

wheel: .venv/bin/symgrad
	$(PYTHON) -m pip wheel --no-deps -w dist .

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
