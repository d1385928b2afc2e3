"""Inputs, parameters and ranges of a formula file."""

from __future__ import annotations

import ast
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symgrad.algebra.terms import BATCH, Term, is_num, value, walk
from symgrad.errors import FormulaError, UnsupportedError, nearest
from symgrad.formula.document import Listing, Mapping, Node, Scalar
from symgrad.formula.domains import MATRICES, VECTORS, check_shape, holds, read_domain
from symgrad.formula.environment import Environment, Tensor, parameter_bounds
from symgrad.formula.names import Register, identifier
from symgrad.formula.program import Domain, Input, Parameter
from symgrad.formula.sizes import read_size
from symgrad.formula.source import Text
from symgrad.formula.syntax import parse
from symgrad.formula.vocabulary import INPUT_FIELDS, PARAMETER_FIELDS

MOST_AXES = 32


@dataclass
class Declarations:
    """What the head of a formula declares, and the environment for its expressions."""

    env: Environment
    register: Register
    inputs: dict[str, Input] = field(default_factory=dict)


def read_declarations(root: Mapping, register: Register) -> Declarations:
    """Inputs, parameters, dimensions and ranges, in an order in which each sees what it needs."""
    env = Environment()
    declared = Declarations(env, register)
    inputs = section(root, "inputs")
    parameters = section(root, "parameters") if root.get("parameters") is not None else None
    names = [(identifier(key.text, "input"), key, node) for key, node in inputs.items]
    for name, key, _ in names:
        register.declare(name, "an input", key.text)
    for key, node in parameters.items if parameters else ():
        name = identifier(key.text, "parameter")
        register.declare(name, "a parameter", key.text)
        env.parameters[name] = _parameter(name, key, node)
    for name, key, node in names:
        declared.inputs[name] = _input(name, key, node, declared)
    _check_dimensions(inputs, declared)
    for key, node in parameters.items if parameters else ():
        _parameter_domain(identifier(key.text, "parameter"), node, env)
    env.bounds = replace(env.bounds, parameters=parameter_bounds(env.parameters))
    if root.get("ranges") is not None:
        _ranges(section(root, "ranges"), declared)
    return declared


def section(root: Mapping, name: str) -> Mapping:
    """The mapping under a key of the file."""
    node, key = root.get(name), root.key(name)
    assert node is not None
    assert key is not None
    if isinstance(node, Mapping):
        if not node.items and name in ("inputs", "output"):
            raise key.error(f"{name} is empty")
        return node
    if isinstance(node, Scalar) and node.kind == "null":
        raise key.error(f"{name} is empty", help=f"indent its entries under `{name}:`")
    mend = "put a blank after each colon, and indent the entries"
    raise node.error(f"{name} is a mapping, one entry a line", help=mend)


def fields(node: Mapping, known: tuple[str, ...], owner: str) -> dict[str, Node]:
    """Fields of a flow mapping such as {shape: [n], given: true}; unknown ones are refused."""
    found: dict[str, Node] = {}
    before: Node | None = None
    for key, child in node.items:
        if key.value not in known:
            raise _unknown_field(node, key, child, before, known, owner)
        found[key.value], before = child, child
    return found


def _unknown_field(
    node: Mapping, key: Scalar, child: Node, before: Node | None, known: tuple[str, ...], owner: str
) -> FormulaError:
    cut = node.flow and isinstance(child, Scalar) and child.kind == "null" and isinstance(before, Scalar)
    if cut and isinstance(before, Scalar) and before.value.count("(") > before.value.count(")"):
        whole = f'"{before.value}, {key.value}"'
        message = f"{owner}: the comma ended the value {before.value}: between braces a value with a comma needs quotes"
        return before.error(message, help=f"write {whole}")
    close = nearest(key.value, known)
    mend = f"did you mean {close}?" if close else "its fields are " + ", ".join(known)
    return key.error(f"{owner}: unknown field {key.value}", help=mend)


def words(node: Node, what: str) -> Text:
    """The text of a scalar that may not be empty."""
    if isinstance(node, Scalar) and node.kind != "null" and node.value.strip():
        return node.text
    if isinstance(node, Scalar):
        raise node.error(f"{what} is empty")
    kind = "a list" if isinstance(node, Listing) else "a mapping"
    raise node.error(
        f"{what} is text, not {kind}", help=f"a value that begins with {'[' if kind == 'a list' else '{'} needs quotes"
    )


def line(node: Node, what: str) -> str:
    """A text of one line."""
    text = words(node, what)
    value = text.value.strip()
    if "\n" in value:
        raise text.error(f"{what} is one line", help="shorten it, or put the rest into a comment (# ...)")
    return value


def flag(node: Node, what: str) -> bool:
    """true or false."""
    if isinstance(node, Scalar) and node.kind == "bool":
        return node.value.lower() == "true"
    raise node.error(f"{what} is true or false")


# ---- inputs ---------------------------------------------------------------------------------------------------------


def _input(name: str, key: Scalar, node: Node, declared: Declarations) -> Input:
    if isinstance(node, Mapping):
        parts = fields(node, INPUT_FIELDS, name)
    elif isinstance(node, Listing):
        parts = {"shape": node}
    else:
        shown = node.text.value if isinstance(node, Scalar) and node.kind != "null" else "n"
        raise node.error(
            f"{name}: a shape is a list in brackets", help=f"write {name}: [{shown}]; a scalar is {name}: []"
        )
    if "shape" not in parts:
        raise key.error(f"{name} has no shape", help=f"write {name}: {{shape: [n], ...}}")
    batch, shape = _shape(name, parts["shape"], declared)
    dtype = _dtype(name, parts.get("dtype"), ("real", "int", "bool"))
    i = Input(
        name,
        shape,
        batch,
        dtype,
        Domain("boolean") if dtype == "bool" else Domain(),
        flag(parts["given"], f"{name}: given") if "given" in parts else False,
        _outside(name, parts.get("outside")),
        line(parts["summary"], f"{name}: summary") if "summary" in parts else "",
        key.text.place(),
    )
    declared.env.tensors[name] = Tensor.of_input(i)
    return i


def _outside(name: str, node: Node | None) -> bool:
    if node is None:
        return False
    if not (isinstance(node, Scalar) and node.value in ("0", "0.0")):
        raise node.error(f"{name}: outside can only be 0", help="outside: 0 makes reads beyond the edge give 0")
    return True


def _dtype(name: str, node: Node | None, known: tuple[str, ...]) -> str:
    if node is None:
        return "real"
    text = words(node, f"{name}: dtype")
    if text.value not in known:
        mend = f"dtype is {', '.join(known[:-1])} or {known[-1]}; the precision is that of the arrays"
        raise text.error(f"{name}: unknown dtype {text.value}", help=mend)
    return text.value


def _shape(name: str, node: Node, declared: Declarations) -> tuple[bool, tuple[Term, ...]]:
    if not isinstance(node, Listing):
        raise node.error(f"{name}: a shape is a list in brackets", help=f"write shape: [n, c]; a scalar is {name}: []")
    if len(node.items) > MOST_AXES:
        where = node.text.where()
        raise UnsupportedError(f"{name} has {len(node.items)} axes; the limit is {MOST_AXES}", where)
    sizes: list[Term] = []
    batch = False
    for k, item in enumerate(node.items):
        if isinstance(item, Scalar) and item.value == BATCH:
            if k:
                raise item.error(f"{name}: ... stands for leading batch axes and comes first in a shape")
            batch = True
        else:
            sizes.append(_size(name, item, declared))
    return batch, tuple(sizes)


def _size(name: str, item: Node, declared: Declarations) -> Term:
    what = f"a size of {name}"
    if not isinstance(item, Scalar) or item.kind != "text":
        raise item.error(f"{what} is a dimension name, an integer, or an expression of them")
    env, text = declared.env, item.text

    def declare(n: ast.Name) -> None:
        start, end = parsed.span(n)
        dimension = identifier(text, "dimension", start, end)
        declared.register.declare(dimension, "a dimension", text, start, end)
        env.dims.add(dimension)

    parsed = parse(text)
    t = read_size(parsed, env, what, declare)
    if is_num(t) and value(t) < 1:
        raise item.error(f"{what} is at least 1, not {value(t)}")
    return t


def _check_dimensions(inputs: Mapping, declared: Declarations) -> None:
    """Every dimension can be found from the shapes of the arrays: it stands alone, or is the one unknown of an axis."""
    sizes = [
        (i.name, s, {str(t.data) for t in walk(s) if t.op == "dim"}) for i in declared.inputs.values() for s in i.shape
    ]
    found: set[str] = set()
    while True:
        new = {n for _, s, names in sizes for n in names - found if len(names - found) == 1 and _solvable(s)}
        if not new:
            break
        found |= new
    for name, s, names in sizes:
        if names - found:
            lost = min(names - found)
            key = next(k for k, _ in inputs.items if identifier(k.text, "input") == name)
            message = f"the size of {lost} cannot be told from the shapes: {name} has the axis {s}"
            raise key.error(message, help=f"let {lost} be an axis of its own somewhere, or an int parameter")


def _solvable(size: Term) -> bool:
    return not any(t.op == "fn" for t in walk(size))


def read_domains(root: Mapping, declared: Declarations) -> None:
    """Domains of the inputs, once all dimensions and their equations are known."""
    env = declared.env
    for key, node in section(root, "inputs").items:
        i = declared.inputs[identifier(key.text, "input")]
        written = node.get("domain") if isinstance(node, Mapping) else None
        if written is not None:
            text = words(written, f"{i.name}: domain")
            domain = read_domain(text, env, i.name)
            _fits_dtype(text, domain, i)
            check_shape(text, domain, i, env.bounds.equations)
            declared.inputs[i.name] = replace(i, domain=domain)
        elif i.dtype == "int":
            env.undecided.add(i.name)
    ends = {
        i.name: (i.domain.bounds[0], i.domain.bounds[1]) for i in declared.inputs.values() if i.domain.kind == "integer"
    }
    env.bounds = replace(env.bounds, tensors=ends)


def _fits_dtype(text: Text, domain: Domain, i: Input) -> None:
    if i.dtype == "int" and domain.kind != "integer":
        raise text.error(f"{i.name} is int: its domain is integer(a, b), not {domain.kind}", help='"integer(0, c - 1)"')
    if i.dtype == "bool" and domain.kind != "boolean":
        raise text.error(f"{i.name} is bool: its domain is boolean, not {domain.kind}", help="leave the domain out")


# ---- parameters and ranges ------------------------------------------------------------------------------------------


def _parameter(name: str, key: Scalar, node: Node) -> Parameter:
    parts = fields(node, PARAMETER_FIELDS, name) if isinstance(node, Mapping) else {"value": node}
    if "value" not in parts:
        raise key.error(f"parameter {name} has no value", help=f"write {name}: {{value: 1.0}}")
    dtype = _dtype(name, parts.get("dtype"), ("real", "int"))
    number = _number(name, parts["value"])
    if dtype == "int" and number.denominator != 1:
        raise parts["value"].error(f"parameter {name} is int; its value is an integer, not {parts['value'].text.value}")
    summary = line(parts["summary"], f"{name}: summary") if "summary" in parts else ""
    return Parameter(name, number, dtype, Domain(), summary, key.text.place())


def _number(name: str, node: Node) -> Fraction:
    from symgrad.formula.expression import Reader

    message = f"the value of parameter {name} is a number"
    if not isinstance(node, Scalar) or node.kind != "text":
        raise node.error(message, help=f"write {name}: 2.0")
    parsed = parse(node.text)
    named = [n for n in ast.walk(parsed.root) if isinstance(n, ast.Name | ast.Call)]
    if named:
        raise parsed.error(f"{message}, not {parsed.source(parsed.root)}", named[0], help=f"write {name}: 2.0")
    t = Reader(parsed, Environment(), []).finite(parsed.root)
    if not is_num(t):
        raise node.error(message, help=f"write {name}: 2.0")
    return value(t)


def _parameter_domain(name: str, node: Node, env: Environment) -> None:
    written = node.get("domain") if isinstance(node, Mapping) else None
    if written is None:
        return
    p = env.parameters[name]
    text = words(written, f"{name}: domain")
    domain = read_domain(text, env, name)
    if domain.kind in VECTORS | MATRICES:
        raise text.error(f"{name}: a parameter is a scalar; {domain.kind} speaks of axes")
    if not holds(domain, p.value):
        raise text.error(
            f"{name}: its value {_decimal(p.value)} is not {domain}", help="change the value or the domain"
        )
    env.parameters[name] = replace(p, domain=domain)


def _decimal(v: Fraction) -> str:
    return str(v.numerator) if v.denominator == 1 else repr(float(v))


def _ranges(node: Mapping, declared: Declarations) -> None:
    env = declared.env
    found: MappingOf[str, Term] = {}
    for key, child in node.items:
        name = identifier(key.text, "index")
        if name in env.dims:
            raise key.error(
                f"{name} is a dimension; the keys of ranges are indices", help="give the index another name"
            )
        declared.register.declare(name, "an index", key.text)
        text = words(child, f"ranges: {name}")
        size = read_size(parse(text), env, f"the range of {name}")
        if is_num(size) and value(size) < 1:
            raise child.error(f"the range of {name} is empty")
        found = {**found, name: size}
    env.ranges = dict(found)
