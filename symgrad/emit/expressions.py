"""Expressions of the array program as source text; what a target spells differently is asked of its dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from symgrad.algebra.terms import ZERO, Term, extent
from symgrad.emit.dialect import Dialect
from symgrad.emit.scalars import (
    ADD,
    ATOM,
    BIT_AND,
    BIT_OR,
    COMPARE,
    MUL,
    POWER,
    TERNARY,
    UNARY,
    Code,
    ScalarPrinter,
    power_code,
    wrap,
)
from symgrad.errors import UnsupportedError
from symgrad.lower.arrays import (
    Along,
    Broadcast,
    Cast,
    Centered,
    Complement,
    Contract,
    Expr,
    Fill,
    Flatten,
    Fold,
    Frame,
    Gather,
    LogSoftmax,
    Map,
    Matrix,
    Merge,
    Pick,
    Projected,
    Range,
    Read,
    Reduce,
    Scalar,
    Scatter,
    Shifted,
    Softmax,
    Solve,
    Split,
    Step,
    Stored,
    Transpose,
    Window,
    is_batch,
)

OPERATORS = {
    "add": ("+", ADD),
    "sub": ("-", ADD),
    "mul": ("*", MUL),
    "div": ("/", MUL),
    "floordiv": ("//", MUL),
    "mod": ("%", MUL),
}
REDUCERS = {"lse": "_logsumexp", "norm": "_norm", "top": "_top", "log_rest": "_log_rest"}
"""Reductions that are helpers of the module."""
MATRIX_FUNCTIONS = {
    "inv": "_inverse",
    "logdet": "_logdet",
    "logabsdet": "_logabsdet",
    "adj": "_adjugate",
}
COMPARISONS = ("<", "<=", "==", "!=")
LETTERS = "ijklmnopqrstuvwxyzabcdefgh"


class Printer:
    """Prints the expressions of one function. `like`: a real array of it, for its dtype and device."""

    def __init__(self, dialect: Dialect, names: Mapping[str, str], note: Callable[[str], str], like: str) -> None:
        self.dialect, self.names, self.note, self.like = dialect, names, note, like
        self.scalars = ScalarPrinter(note)

    def code(self, e: Expr) -> Code:
        """The text of an expression and how tightly it binds."""
        result: Code = getattr(self, f"_{type(e).__name__.lower()}")(e)
        return result

    def text(self, e: Expr, level: int = TERNARY) -> str:
        """The text, in parentheses where its place demands."""
        return wrap(self.code(e), level)

    def call(self, name: str, *args: str) -> Code:
        """A call of a function of the target or of a helper of the module."""
        spelled = self.note(f"helper {name}") if name.startswith("_") else f"{self.note('module target')}.{name}"
        return f"{spelled}({', '.join(args)})", ATOM

    # ---- axes -------------------------------------------------------------------------------------------------------

    def aligned(self, e: Expr, frame: Frame) -> Code:
        """The operand with axes of size 1 where the frame has an index that it lacks."""
        present = [i for i in frame if i in e.frame]
        if list(e.frame) != present:
            return self.aligned(Transpose(tuple(present), e.dtype, e), frame)
        if not present:
            return self.code(e)
        tail = frame[frame.index(present[0]) :]
        if len(tail) == len(present):
            return self.code(e)
        if isinstance(e, Reduce) and e.operand.frame == tail and e.kind in ("sum", "max", "min"):
            return self._reduced(e, keep=True)
        marks = ["..." if is_batch(i) else ":" if i in present else "None" for i in tail]
        return f"{self.text(e, ATOM)}[{', '.join(marks)}]", ATOM

    def axis(self, frame: Frame, index: Term) -> int:
        """The number of an axis: from the end where batch axes lead, or for the last one."""
        at = frame.index(index)
        return at - len(frame) if any(is_batch(i) for i in frame) or at == len(frame) - 1 else at

    def axes(self, frame: Frame, over: Frame) -> str:
        """One axis number, or a tuple of them."""
        numbers = [str(self.axis(frame, i)) for i in over]
        return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"

    def shape(self, frame: Frame) -> str:
        """A shape as a tuple."""
        if len(frame) == 1 and is_batch(frame[0]):
            return self.note("dim ...")
        sizes = [f"*{self.note('dim ...')}" if is_batch(i) else self.scalars.text(extent(i)) for i in frame]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def _transpose(self, e: Transpose) -> Code:
        old, new = e.operand.frame, e.frame
        if isinstance(e.operand, Contract) and self._matmul_of(e.operand) is None:
            return self._einsum(replace(e.operand, frame=new))
        inner = self.text(e.operand, ATOM)
        order = [old.index(i) for i in new]
        if len(order) == 2 and not is_batch(new[0]):
            return f"{inner}.T", ATOM
        if order[:-2] == list(range(len(order) - 2)):
            return self.dialect.swap(inner), ATOM
        if not is_batch(new[0]):
            return self.dialect.permute(inner, ", ".join(map(str, order))), ATOM
        places = ", ".join(str(k - len(order)) for k in order[1:])
        target = ", ".join(str(k - len(order)) for k in range(1, len(order)))
        return self.call(self.dialect.move_axes, self.text(e.operand), f"({places})", f"({target})")

    def _flatten(self, e: Flatten) -> Code:
        inner, k = self.text(e.operand, ATOM), len(e.frame) - 1
        sizes = [] if k == 0 else [f"{inner}.shape[-1]"] if k == 1 else [f"*{inner}.shape[-{k}:]"]
        return f"{inner}.reshape({', '.join(['-1', *sizes])})", ATOM

    def _split(self, e: Split) -> Code:
        sizes = [self.scalars.text(extent(i)) for i in e.frame[e.axis : e.axis + e.count]]
        return self.call("_split", self.text(e.operand), str(self._counted(e.operand.frame, e.axis)), *sizes)

    def _merge(self, e: Merge) -> Code:
        return self.call("_merged", self.text(e.operand), str(self._counted(e.operand.frame, e.axis)), str(e.count))

    def _counted(self, frame: Frame, axis: int) -> int:
        """The number of an axis, from the end where batch axes lead."""
        return axis - len(frame) if any(is_batch(i) for i in frame) else axis

    def _broadcast(self, e: Broadcast) -> Code:
        if isinstance(e.operand, Scalar):
            number, placed = self.text(e.operand), self.dialect.placed(self.like)
            return self.call("full", self.shape(e.frame), number, f"dtype={self.like}.dtype", *placed)
        inner = self.aligned(e.operand, e.frame)
        return self.dialect.broadcast(self, inner, self.shape(e.frame))

    # ---- numbers and names ------------------------------------------------------------------------------------------

    def _scalar(self, e: Scalar) -> Code:
        return self.scalars.code(e.term)

    def _read(self, e: Read) -> Code:
        return self.names[e.name], ATOM

    def _range(self, e: Range) -> Code:
        return self.call("arange", self.scalars.text(extent(e.frame[0])), *self.dialect.placed(self.like))

    def _cast(self, e: Cast) -> Code:
        if isinstance(e.operand, Range):
            size = self.scalars.text(extent(e.operand.frame[0]))
            return self.call("arange", size, f"dtype={self.like}.dtype", *self.dialect.placed(self.like))
        return f"{self.text(e.operand, ATOM)}.{self.dialect.cast}({self.like}.dtype)", ATOM

    def _fill(self, e: Fill) -> Code:
        number = self.text(e.value)
        if not e.frame:
            return self.call("full", "()", number, f"dtype={self.like}.dtype", *self.dialect.placed(self.like))
        return self.call("full_like", self.text(e.like), number, f"dtype={self.like}.dtype")

    # ---- elementwise ------------------------------------------------------------------------------------------------

    def _map(self, e: Map) -> Code:
        args = [self.aligned(a, e.frame) for a in e.args]
        if e.op in OPERATORS:
            sign, level = OPERATORS[e.op]
            return f"{wrap(args[0], level)} {sign} {wrap(args[1], level + 1)}", level
        if e.op in COMPARISONS:
            return f"{wrap(args[0], COMPARE + 1)} {e.op} {wrap(args[1], COMPARE + 1)}", COMPARE
        if e.op in ("and", "or"):
            level = BIT_AND if e.op == "and" else BIT_OR
            return f"{wrap(args[0], level)} {'&' if e.op == 'and' else '|'} {wrap(args[1], level + 1)}", level
        if e.op in ("neg", "not"):
            level = ATOM if args[0][1] == POWER else UNARY  # -(x**2), as formatters have it
            return f"{'-' if e.op == 'neg' else '~'}{wrap(args[0], level)}", UNARY
        if e.op == "pow":
            return power_code(*args)
        if e.op == "select":
            return f"{wrap(args[1], 1)} if {wrap(args[0], 1)} else {wrap(args[2], 0)}", TERNARY
        return self.dialect.function(self, e.op, args, e)

    # ---- reductions and contractions --------------------------------------------------------------------------------

    def _reduce(self, e: Reduce) -> Code:
        return self._reduced(e, keep=False)

    def _reduced(self, e: Reduce, keep: bool) -> Code:
        axes = self.axes(e.operand.frame, e.over)
        if e.kind in REDUCERS:
            whole = "None" if len(e.over) == len(e.operand.frame) > 1 else axes
            return self.call(REDUCERS[e.kind], self.text(e.operand), f"axis={whole}")
        return self.dialect.reduce(self, e, None if len(e.over) == len(e.operand.frame) else axes, keep)

    def _softmax(self, e: Softmax) -> Code:
        return self.call("_softmax", self.text(e.operand), f"axis={self.axes(e.operand.frame, e.over)}")

    def _logsoftmax(self, e: LogSoftmax) -> Code:
        return self.call("_log_softmax", self.text(e.operand), f"axis={self.axes(e.operand.frame, e.over)}")

    def _complement(self, e: Complement) -> Code:
        return self.call("_complement", self.text(e.operand), f"axis={self.axes(e.operand.frame, e.over)}")

    def _centered(self, e: Centered) -> Code:
        values, weights = (self.aligned(x, e.frame)[0] for x in (e.operand, e.weights))
        return self.call("_centered", values, weights, f"axis={self.axes(e.frame, e.over)}")

    def _projected(self, e: Projected) -> Code:
        values, along = (self.aligned(x, e.frame)[0] for x in (e.operand, e.along))
        by = [] if e.by == e.along else [f"by={self.aligned(e.by, e.frame)[0]}"]
        left = [] if e.left == Scalar((), "real", ZERO) else [f"left={self.aligned(e.left, e.frame)[0]}"]
        return self.call("_projected", values, along, f"axis={self.axes(e.frame, e.over)}", *by, *left)

    def _shifted(self, e: Shifted) -> Code:
        change, logits = (self.aligned(x, e.frame)[0] for x in (e.change, e.logits))
        return self.call("_shifted", change, logits, f"axis={self.axes(e.frame, e.over)}")

    def _matrix(self, e: Matrix) -> Code:
        name = self.dialect.determinant if e.function == "det" else MATRIX_FUNCTIONS[e.function]
        return self.call(name, self.text(e.operand))

    def _solve(self, e: Solve) -> Code:
        return self.call("_solve", self.text(e.matrix), self.text(e.right))

    def _contract(self, e: Contract) -> Code:
        return self._matmul_of(e) or self._einsum(e)

    def _matmul_of(self, e: Contract) -> Code | None:
        return self._matmul(e, e.left.frame, e.right.frame) if len(e.over) == 1 else None

    def _matmul(self, e: Contract, left: Frame, right: Frame) -> Code | None:
        """The contraction as `@`, where the layout allows."""
        k = e.over[0]
        shared = tuple(i for i in left if i in right and i is not k)
        if len(left) == 1 and len(right) > 1:
            if right[-1] is k:
                return self._at(self._operand(e.right), self._operand(e.left))
            return (
                self._at(self._operand(e.left), self._operand(e.right))
                if right[:1] == (k,) and len(right) == 2
                else None
            )
        if len(right) == 1:
            if left[-1] is k:
                return self._at(self._operand(e.left), self._operand(e.right))
            return self._at(self._operand(e.right), self._operand(e.left)) if left[0] is k and len(left) == 2 else None
        if not shared and len(right) == 2 and (left[-1] is k or (len(left) == 2 and not is_batch(left[0]))):
            return self._at(self._oriented(e.left, k, last=True), self._oriented(e.right, k, last=False))
        return self._batched(e, left, right, k, shared)

    def _batched(self, e: Contract, left: Frame, right: Frame, k: Term, shared: Frame) -> Code | None:
        n = len(shared)
        if not shared or any(f[:n] != shared for f in (left, right, e.frame)) or len(left) != n + 2:
            return None
        if len(right) == n + 1:
            vector = f"{self.text(e.right, ATOM)}[..., None]"
            return f"({self._at(self._oriented(e.left, k, last=True), vector)[0]})[..., 0]", ATOM
        if len(right) == n + 2:
            return self._at(self._oriented(e.left, k, last=True), self._oriented(e.right, k, last=False))
        return None

    def _at(self, a: str, b: str) -> Code:
        return f"{a} @ {b}", MUL

    def _operand(self, e: Expr) -> str:
        return self.text(e, UNARY)

    def _oriented(self, e: Expr, k: Term, last: bool) -> str:
        """The operand with the contracted axis last, or last but one."""
        if (e.frame[-1] is k) == last:
            return self._operand(e)
        return self.text(Transpose((*e.frame[:-2], e.frame[-1], e.frame[-2]), e.dtype, e), ATOM)

    def _einsum(self, e: Contract) -> Code:
        letters: dict[Term, str] = {}
        for i in (*e.left.frame, *e.right.frame):
            name = str(i.data)
            free = [
                c
                for c in (name if len(name) == 1 else "") + LETTERS
                if c not in letters.values() and c.isascii() and c.isalpha()
            ]
            letters.setdefault(i, "..." if is_batch(i) else free[0])
        left, right, out = ("".join(letters[i] for i in f) for f in (e.left.frame, e.right.frame, e.frame))
        return self.call(self.dialect.einsum, f'"{left},{right}->{out}"', self.text(e.left), self.text(e.right))

    # ---- reading and writing at positions ---------------------------------------------------------------------------

    def _pick(self, e: Pick) -> Code:
        at = e.axis if e.axis >= 0 else None
        marks = [":"] * at if at is not None else ["..."]
        after = [":"] * (-e.axis - 1) if at is None else []
        return f"{self.text(e.operand, ATOM)}[{', '.join([*marks, self.scalars.text(e.position), *after])}]", ATOM

    def _step(self, e: Step) -> Code:
        return self._at_step(self.names[e.name], e), ATOM

    def _at_step(self, name: str, e: Step | Stored) -> str:
        """The place of a step: `h[t]`, or `h[..., t, :]` behind batch axes where the steps are one array."""
        marks = self.dialect.step_marks(e.frame, e.axis)
        return f"{name}[{', '.join([*marks[0], self.scalars.text(e.position), *marks[1]])}]"

    def place(self, name: str, e: Stored) -> str:
        """Where a step puts its value."""
        return self._at_step(name, e)

    def _window(self, e: Window) -> Code:
        if e.size is not None:
            return self._windows(e)
        numbers = [self.scalars.text(t) for t in (e.start, e.step, e.count)]
        if e.inside:
            return self._slice(e)
        return self.call("_strided", self.text(e.operand), str(e.axis), *numbers)

    def _windows(self, e: Window) -> Code:
        """All windows over one array at once: it is padded once, before it is spread out."""
        chain: list[Window] = []
        base: Expr = e
        while isinstance(base, Window) and base.size is not None:
            chain.insert(0, base)
            base = base.operand
        texts = []
        for w in chain:
            assert w.size is not None
            assert w.dilation is not None
            axis = self._counted(base.frame, w.axis % len(w.operand.frame))
            sizes = [self.scalars.text(t) for t in (w.start, w.step, w.dilation, w.count, w.size)]
            texts.append(f"({', '.join([str(axis), *sizes])})")
        return self.call("_windows", self.text(base), *texts)

    def _slice(self, e: Window) -> Code:
        start, step = self.scalars.text(e.start), self.scalars.text(e.step)
        stop = self._stop(e)
        plain = all(x.isalnum() for x in (start, stop, step))
        colon = ":" if plain else " : "
        text = f"{'' if start == '0' else start}{colon if start != '0' else colon.lstrip()}{stop}"
        text += "" if step == "1" else f"{colon}{step}"
        before = [":"] * e.axis if e.axis >= 0 else ["..."]
        after = [":"] * (-e.axis - 1) if e.axis < 0 else []
        return f"{self.text(e.operand, ATOM)}[{', '.join([*before, text, *after])}]", ATOM

    def _stop(self, e: Window) -> str:
        from symgrad.algebra.build import add, mul

        return self.scalars.text(add(e.start, mul(e.step, e.count)))

    def _fold(self, e: Fold) -> Code:
        numbers = [self.scalars.text(t) for t in (e.start, e.step, e.extent)]
        tap = [] if e.dilation is None else [self.scalars.text(e.dilation)]
        name = "_unstrided" if e.dilation is None else "_folded"
        return self.call(name, self.text(e.operand), str(e.axis), *numbers, *tap)

    def _gather(self, e: Gather) -> Code:
        count = len(e.frame) - (len(e.operand.frame) - len(e.positions))
        frame = e.frame[len(e.frame) - count :] if e.last else e.frame[:count]
        positions = self.positions(e.positions, frame)
        return f"{self.text(e.operand, ATOM)}[{', '.join((['...'] if e.last else []) + positions)}]", ATOM

    def positions(self, items: tuple[Expr, ...], frame: Frame) -> list[str]:
        """Integer arrays over their common frame."""
        return [wrap(self.aligned(p, frame), TERNARY) for p in items]

    def _along(self, e: Along) -> Code:
        at = len(e.operand.frame) + e.axis
        own = [i for i in e.positions.frame if i not in e.operand.frame]
        frame = (*e.operand.frame[:at], *(own or [e.operand.frame[at]]), *e.operand.frame[at + 1 :])
        text = self.dialect.take_along(self, self.text(e.operand), self.aligned(e.positions, frame)[0], e.axis)
        return (text, ATOM) if own else (f"{text}[{', '.join(['...', '0', *[':'] * (-e.axis - 1)])}]", ATOM)

    def _scatter(self, e: Scatter) -> Code:
        frame = e.values.frame
        after = len(frame) - e.first - e.count
        before = e.first - len(frame) if e.first and any(is_batch(i) for i in frame) else e.first
        texts = []
        for i, p in zip(e.frame[e.first :], e.positions, strict=False):
            texts.append(f"({self.scalars.text(extent(i))}, {self.aligned(p, frame)[0]})")
        return self.call("_scattered", self.text(e.values), str(before), str(after), *texts)

    def __getattr__(self, name: str) -> Callable[[Expr], Code]:
        raise UnsupportedError(f"{name.removeprefix('_')} has no source text")
