"""A formula that goes wrong made smaller while it goes wrong in the same way: `python -m tests.fuzz.shrink SEED`."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable, Iterator

from ruamel.yaml import YAML

from tests.fuzz.judge import judge_text
from tests.fuzz.run import text_of

Document = dict[str, object]
MOST_TRIES = 400


def shrink(text: str, wrong: Callable[[str], bool]) -> str:
    """The smallest text found that is still wrong."""
    document, tries, going = _load(text), 0, True
    while going and tries < MOST_TRIES:
        going = False
        for candidate in _smaller(document):
            tries += 1
            written = dump(candidate)
            if len(written) < len(dump(document)) and wrong(written):
                document, going = candidate, True
                break
    return dump(document)


def _load(text: str) -> Document:
    return {str(k): v for k, v in YAML(typ="safe").load(text).items()}


def dump(document: Document) -> str:
    """A formula as text."""
    lines = []
    for key, value in document.items():
        if isinstance(value, dict) and key in ("let", "output", "inputs", "parameters", "ranges", "scan"):
            lines.append(f"{key}:")
            lines += [f'  "{k}": {_inline(v)}' for k, v in value.items()]
        else:
            lines.append(f"{key}: {_inline(value)}")
    return "\n".join(lines) + "\n"


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(str(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _smaller(document: Document) -> Iterator[Document]:
    for block in ("inputs", "let", "output", "parameters"):
        entries = document.get(block)
        if isinstance(entries, dict):
            for key in entries:
                rest = {k: v for k, v in entries.items() if k != key}
                yield {**{k: v for k, v in document.items() if k != block}, **({block: rest} if rest else {})}
    for block in ("let", "output"):
        entries = document.get(block)
        if isinstance(entries, dict):
            for key, body in entries.items():
                for smaller in _expressions(str(body)):
                    yield {**document, block: {**entries, key: smaller}}
    if "loss" in document:
        for smaller in _expressions(str(document["loss"])):
            yield {**document, "loss": smaller}


def _expressions(text: str) -> Iterator[str]:
    """The expression with one of its parts replaced by a part of that part, or by 1; large parts first."""
    tree = ast.parse(text, mode="eval")
    nodes = [n for n in ast.walk(tree) if isinstance(n, (ast.Call, ast.BinOp, ast.UnaryOp, ast.Subscript))]
    for node in nodes:
        parts = [p for p in ast.iter_child_nodes(node) if isinstance(p, ast.expr)]
        parts = parts[1:] if isinstance(node, ast.Call) else parts
        for part in [*(p for p in parts if not isinstance(node, ast.Subscript)), ast.Constant(1)]:
            if isinstance(part, (ast.Tuple, ast.Compare)):
                continue
            yield ast.unparse(_Replace(node, part).visit(ast.parse(text, mode="eval")))


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old, self.new = ast.dump(old), new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if ast.dump(node) == self.old else self.generic_visit(node)


def sort_of(detail: str) -> str:
    """What stays the same when a formula shrinks: the exception and its place, or that a number is wrong."""
    raised = re.search(r"raised \w+|^\w+Error|\w+ of a parameter", detail)
    place = re.search(r"\([\w/]+\.py:\d+", detail)
    return (raised.group() if raised else "wrong") + (place.group() if place else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--kind", choices=("plain", "constructs", "all"), default="plain")
    chosen = parser.parse_args()
    seed, text = chosen.seed, text_of(chosen.seed, chosen.kind)
    first = judge_text(text, seed)
    if first is None:
        print(f"seed {seed} is right")
        return

    def wrong(text: str) -> bool:
        found = judge_text(text, seed)
        return found is not None and found.stage == first.stage and sort_of(found.detail) == sort_of(first.detail)

    small = shrink(text, wrong)
    print(small)
    print(judge_text(small, seed))


if __name__ == "__main__":
    main()
