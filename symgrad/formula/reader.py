"""Reads a formula: text -> Formula.

After: no surface syntax is left, used formulas are written in, every index has a range, every read is shown to stay
inside or gives 0 there.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace
from hashlib import sha256
from typing import Any

from symgrad.errors import UnsupportedError, UsageError, nearest
from symgrad.formula.assumptions import assumed_texts, read_facts, read_sizes
from symgrad.formula.declarations import Declarations, line, read_declarations, read_domains, words
from symgrad.formula.directions import direction_names
from symgrad.formula.document import LARGEST_FILE, Listing, Mapping, Node, Scalar, clean, decode, read_document
from symgrad.formula.domains import gather_domain
from symgrad.formula.expectations import read_expected
from symgrad.formula.heads import heads
from symgrad.formula.names import Register, formula_name
from symgrad.formula.program import Formula, Input, Program
from symgrad.formula.source import Source
from symgrad.formula.statements import Statements, read_statements
from symgrad.formula.uses import Library, read_uses
from symgrad.formula.vocabulary import FIELDS


def read_file(path: str) -> Formula:
    """The formula of a file; UsageError if the file cannot be read."""
    return _read_file(path, Library(_read_file))


def _read_file(path: str, library: Library) -> Formula:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or "not a file name"
        raise UsageError(f"cannot read {path}: {reason}") from None
    return _read(decode(data, path), sha256(data).hexdigest(), library)


def read_bytes(data: bytes, file: str) -> Formula:
    """The formula of the bytes of a file; `file` is how messages call it."""
    return _read(decode(data, file), sha256(data).hexdigest())


def read_text(text: str, file: str = "<text>") -> Formula:
    """The formula of a text."""
    return _read(clean(text, file), sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def read_mapping(mapping: MappingOf[str, Any], file: str = "<mapping>") -> Formula:
    """The formula of a mapping with the keys of the YAML; messages show its canonical YAML."""
    import sys

    from symgrad.formula.canonical import canonical_yaml

    if "sympy" in sys.modules:  # without it nobody can have handed one of its objects in
        from symgrad.formula.sympy_objects import plain

        mapping = plain(mapping)
    return read_text(canonical_yaml(mapping), file)


def _read(source: Source, digest: str, library: Library | None = None) -> Formula:
    try:
        return _assemble(source, digest, library or Library(_read_file))
    except RecursionError:  # the limits of depth assume a stack that is nearly empty; a caller's may not be
        raise UnsupportedError("the formula is nested too deeply to be read here", source.where(0)) from None


def _assemble(source: Source, digest: str, library: Library) -> Formula:
    root = read_document(source)
    _check_fields(root)
    _check_body(root)
    uses = read_uses(root, source.file, library)
    texts = assumed_texts(root.get("assume"))
    register = Register(cotangents={f"d{h.name}": h.name for left, _ in heads(root, "output") for h in left})
    declared = read_declarations(root, register)
    declared.env.uses = uses
    read_sizes(texts, declared.env)
    read_domains(root, declared)
    wrt = _differentiated(root, declared)
    statements = read_statements(root, declared)
    _settle_gathers(root, declared)
    _adopt(declared)
    program = Program(
        _name(root),
        tuple(declared.inputs.values()),
        tuple(declared.env.parameters.values()),
        tuple(statements.items),
        tuple(read_facts(texts, declared, statements.items, wrt)),
        wrt,
    )
    return _formula(root, program, declared, statements, source, digest)


def _formula(
    root: Mapping, program: Program, declared: Declarations, statements: Statements, source: Source, digest: str
) -> Formula:
    summary = root.get("summary")
    directions = direction_names(program, (n for n, _ in declared.env.indices)) if program.is_loss else {}
    return Formula(
        program,
        line(summary, "summary") if summary is not None else "",
        _references(root.get("reference")),
        read_expected(root, declared, program.statements, program.wrt, directions),
        source.text,
        source.file,
        digest,
        statements.written,
        index_names=tuple(declared.env.indices),
        in_arrays=statements.in_arrays,
        uses=dict(declared.env.uses),
    )


def _check_fields(root: Mapping) -> None:
    for key, _ in root.items:
        if key.value not in FIELDS:
            close = nearest(key.value, FIELDS)
            mend = f"did you mean {close}?" if close else "the fields are " + ", ".join(FIELDS)
            if not close and any(isinstance(v, Scalar) and v.kind == "null" for _, v in root.items):
                mend = "indent it, if it belongs to the field above"
            raise key.error(f"unknown field {key.value}", help=mend)


def _check_body(root: Mapping) -> None:
    """The keys that must be there."""
    if root.get("inputs") is None:
        raise root.error("the formula has no inputs", help="inputs: {x: [n, d]}")
    loss, output = root.key("loss"), root.key("output")
    if loss is not None and output is not None:
        later = max(loss, output, key=lambda k: k.text.start)
        raise later.error("a formula has either loss or output, not both", help="put one of them under let")
    if loss is None and output is None:
        raise root.error("the formula has neither loss nor output", help="loss: Sum(z[i, j]**2, j)")
    if root.get("name") is None:
        raise root.error("the formula has no name", help="begin with name: my_loss")


def _name(root: Mapping) -> str:
    node = root.get("name")
    assert node is not None
    if isinstance(node, Scalar) and node.kind == "null":
        raise node.error("name is empty", help="a lower-case identifier: softmax_cross_entropy")
    if isinstance(node, Scalar) and not node.value:
        raise node.error("name is empty", help="a lower-case identifier: softmax_cross_entropy")
    return formula_name(words(node, "name"))


def _differentiated(root: Mapping, declared: Declarations) -> tuple[str, ...]:
    """The inputs to differentiate, in the order of the file."""
    free = [i.name for i in declared.inputs.values() if i.dtype == "real" and not i.given]
    node, key = root.get("gradient"), root.key("gradient") or root.key("inputs")
    if node is None:
        if not free:
            assert key is not None
            message = "nothing to differentiate: no real input that is not given"
            raise key.error(message, help="remove `given: true` from one, or name inputs under gradient")
        return tuple(free)
    items = node.items if isinstance(node, Listing) else [node]
    wanted = [_real_input(item, declared) for item in items]
    if not wanted:
        raise node.error("gradient names no input: nothing to differentiate")
    return tuple(i for i in declared.inputs if i in wanted)


def _real_input(item: Node, declared: Declarations) -> str:
    text = words(item, "gradient")
    name = text.value.strip()
    i: Input | None = declared.inputs.get(name)
    if i is None:
        close = nearest(name, declared.inputs)
        mend = f"did you mean {close}?" if close else "inputs are " + ", ".join(declared.inputs)
        raise text.error(f"gradient: {name} is no input", help=mend)
    if i.dtype != "real":
        raise text.error(f"gradient: {name} is {i.dtype}, and only real inputs can be differentiated")
    if i.given:
        raise text.error(
            f"gradient: {name} is given", help=f"remove `given: true` from {name}, or {name} from gradient"
        )
    return name


def _settle_gathers(root: Mapping, declared: Declarations) -> None:
    """An int input without a domain ranges over the axis that it subscripts."""
    env = declared.env
    for name in [i for i in declared.inputs if i in env.undecided]:
        found = env.gathers.get(name)
        if found is None:
            inputs = root.get("inputs")
            key = inputs.key(name) if isinstance(inputs, Mapping) else None
            mend = f'give it one: {name}: {{shape: ..., dtype: int, domain: "integer(0, c - 1)"}}'
            message = f"int input {name} subscripts no axis and has no domain"
            raise key.error(message, help=mend) if key is not None else root.error(message, help=mend)
        declared.inputs[name] = replace(declared.inputs[name], domain=gather_domain(found.size))
    env.undecided.clear()


def _adopt(declared: Declarations) -> None:
    """An input without a domain has that of the first used formula that it is handed to."""
    for name, domain in declared.env.adopted.items():
        if declared.inputs[name].domain.kind == "real":
            declared.inputs[name] = replace(declared.inputs[name], domain=domain)


def _references(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    items = node.items if isinstance(node, Listing) else [node]
    return tuple(" ".join(words(item, "reference").value.split()) for item in items)
