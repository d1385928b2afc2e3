"""Random formulas whose subscripts compute: windows with strides and padding, quotients and remainders, gathers."""

from __future__ import annotations

from random import Random

TAPS = (
    "{X}*{K}", "{X}*{K}", "{X}*{K}", "tanh({X})*{K}", "({X} - {K})**2", "exp(-({X} - {K})**2)", "Max({X}, {K})",
    "where({X} > {K}, {X}*{K}, 0)", "{X}**2*sin({K})", "relu({X} + {K})", "sigmoid({X})*{K}**2",
)  # fmt: skip
OVER = ("Sum({e}, {j})",) * 4 + (
    "mean({e}, {j})", "amax({e}, {j})", "logsumexp({e}, {j})", "norm({e}, {j})", "amin({e}, {j})", "var({e}, {j})",
)  # fmt: skip
ENDS = ("{}", "{}", "tanh({})", "({})**2", "relu({})", "softplus({})", "({})*sin({})")


def window(rng: Random) -> str:
    """A window that runs over an axis or two: stride, padding, dilation, as parameters or as numbers."""
    parameters: dict[str, str] = {}

    def number(name: str, choices: tuple[int, ...], domain: str = "positive") -> str:
        v = rng.choice(choices)
        if rng.random() < 0.4:
            return str(v)
        parameters[name] = f"{{value: {v}, dtype: int, domain: {domain}}}"
        return name

    s, dilation = number("s", (1, 2, 3)), number("dil", (1, 1, 2))
    pad = number("pad", (0, 1, 2), "nonnegative")
    plane = rng.random() < 0.5
    axes = [("p", "u", "h", "r")] + ([("q", "v", "w", "t")] if plane else [])
    ranges = [f"{o}: ({size} + 2*{pad} - {dilation}*({taps} - 1) - 1)//{s} + 1" for o, _, size, taps in axes]
    places = [f"{s}*{o} + {dilation}*{u} - {pad}" for o, u, _, _ in axes]
    channels = rng.random() < 0.6
    x = f"x[b, {'c, ' * channels}{', '.join(places)}]"
    k = f"k[{'o, ' * channels}{'c, ' * channels}{', '.join(u for _, u, _, _ in axes)}]"
    inner = rng.choice(TAPS).format(X=x, K=k)
    over = ", ".join([*(["c"] if channels else []), *(u for _, u, _, _ in axes)])
    body = ended(rng, rng.choice(OVER).format(e=inner, j=over))
    sizes = [size for _, _, size, _ in axes]
    taps = [t for _, _, _, t in axes]
    inputs = [
        f"  x: {{shape: [n, {'m, ' * channels}{', '.join(sizes)}], outside: 0}}",
        f"  k: [{'e, m, ' if channels else ''}{', '.join(taps)}]",
    ]
    left = f"y[b, {'o, ' * channels}{', '.join(o for o, _, _, _ in axes)}]"
    return formula(inputs, parameters, ranges, [], [(left, body)])


def pool(rng: Random) -> str:
    """Windows that stay inside: max, mean, the first maximum; of one input, or of a name."""
    s = rng.choice(("k", "s"))
    k = "{value: 2, dtype: int, domain: positive}"
    parameters = {
        "k": k,
        **({"s": f"{{value: {rng.choice((1, 2, 3))}, dtype: int, domain: positive}}"} if s == "s" else {}),
    }
    extent = "h//k" if s == "k" else "(h - k)//s + 1"
    other = "w//k" if s == "k" else "(w - k)//s + 1"
    named = rng.random() < 0.4
    x = f"{'a' if named else 'x'}[..., {s}*p + u, {s}*q + v]"
    lets = [("a[..., i, j]", rng.choice(("x[..., i, j]**2", "tanh(x[..., i, j])*g[j]", "relu(x[..., i, j] - g[j])")))]
    kind = rng.choice(
        ("amax({}, u, v)", "amax({}, u, v, ties=first)", "mean({}, u, v)", "logsumexp({}, u, v)", "amin({}, u, v)")
    )
    end = rng.choice(("{}", "{}**2", "tanh({})", "{}*b[p]"))
    body = end.format(kind.format(x)) if kind[0] != "m" else end.format(f"({kind.format(x)})")
    ranges = [f"p: {extent}", f"q: {other}", "u: k", "v: k"]
    inputs = ["  x: [..., h, w]", *(["  g: [w]"] if named else []), *([f'  b: ["{extent}"]'] if "b[p]" in body else [])]
    return formula(inputs, parameters, ranges, lets if named else [], [("y[..., p, q]", body)])


def reshaped(rng: Random) -> str:
    """Quotients and remainders: heads, groups, flattening, shuffles; dimensions and int parameters as divisors."""
    g = rng.choice(("g", "m"))
    parameters = {"g": f"{{value: {rng.choice((1, 2, 3))}, dtype: int, domain: positive}}"} if g == "g" else {}
    size = f"{g}*e"
    w = "" if g == "g" else "\n  z: [m, e]"
    kind = rng.randrange(5)
    f = rng.choice(("tanh({})", "{}**2", "sin({})*w[{j}]", "{}*w[{j}]", "relu({} - w[{j}])"))
    if kind == 0:  # apart
        body = f.format(f"x[n_, {rng.choice(('e*a + k', 'g*k + a' if g == 'g' else 'm*k + a'))}]", j="k")
        out = [("y[n_, a, k]", body)]
        ranges = [f"a: {g}", "k: e"]
        inputs = [f'  x: [b, "{size}"]{w}', "  w: [e]"]
    elif kind == 1:  # together
        inputs = [f"  x: [b, {'m' if g == 'm' else 'd'}, e]", f'  w: ["{"m*e" if g == "m" else "d*e"}"]']
        body = f.format("x[n_, k//e, k % e]", j="k")
        out = [("y[n_, k]", body)]
        ranges, parameters = [f"k: {'m*e' if g == 'm' else 'd*e'}"], {}
    elif kind == 2:  # softmax or norm inside each group
        over = rng.choice(("softmax({}, k)", "{}/sqrt(1 + Sum({}**2, k))", "{} - mean({}, k)", "{}*amax({}, k)"))
        inner = "x[n_, e*a + k]"
        body = over.replace("{}", inner) + "*w[k]"
        out = [("y[n_, a, k]", body)]
        ranges = [f"a: {g}", "k: e"]
        inputs = [f'  x: [b, "{size}"]{w}', "  w: [e]"]
    elif kind == 3:  # statistics of groups, read back through a quotient
        inputs = [f'  x: [b, "{size}"]{w}', f'  w: ["{size}"]']
        ranges = [f"a: {g}", "k: e", f"j: {size}"]
        lets = [("s[n_, a]", rng.choice(("mean({}, k)", "norm({}, k)", "logsumexp({}, k)")).format("x[n_, e*a + k]"))]
        body = rng.choice(
            ("(x[n_, j] - s[n_, j//e])*w[j]", "x[n_, j]*s[n_, j//e] + w[j]", "sin(s[n_, j//e])*w[j]*x[n_, j]")
        )
        return formula(inputs, parameters, ranges, lets, [("y[n_, j]", body)])
    else:  # every other element
        inputs = ["  x: [b, h]", '  w: ["h//2"]']
        ranges, parameters = ["p: h//2"], {}
        body = rng.choice(
            ("x[n_, 2*p]*w[p] + x[n_, 2*p + 1]", "Max(x[n_, 2*p], x[n_, 2*p + 1])*w[p]", "sin(x[n_, h - 1 - 2*p])*w[p]")
        )
        out = [("y[n_, p]", body)]
    return formula(inputs, parameters, ranges, [], out)


def gathered(rng: Random) -> str:
    """Integer inputs: rows of a table, elements of a row, bags, positions of the largest; also twice at once."""
    inputs = [
        "  T: [v, d]",
        "  x: [n, v]",
        "  W: [d, d]",
        '  t: {shape: [n, r], dtype: int, domain: "integer(0, v - 1)"}',
    ]
    row = rng.choice(
        ("T[t[i, k], a]", "T[t[i, k], a]*x[i, t[i, k]]", "tanh(T[t[i, k], a])", "T[t[i, k], a]*T[t[i, 0], a]")
    )
    kind = rng.randrange(5)
    if kind == 0:
        body = f"Sum({row}, k)*W[a, 0]"
        return formula(inputs, {}, [], [], [("y[i, a]", body)])
    if kind == 1:
        over = rng.choice(("mean({}, k)", "amax({}, k)", "logsumexp({}, k)", "norm({}, k)"))
        lets = [("h[i, a]", over.format(row))]
        return formula(inputs, {}, [], lets, [("y[i, e]", "Sum(h[i, a]*W[a, e], a)")])
    if kind == 2:
        body = rng.choice(("log_softmax(x[i, j], j)", "softmax(x[i, j], j)", "sin(x[i, j])*x[i, 0]"))
        lets = [("p[i, j]", body), ("e[a]", "Sum(T[j, a]*W[a, a], j)")]
        return formula(inputs, {}, [], lets, [], loss=f"-Sum(p[i, t[i, k]], k)*{rng.choice(('1', 'Sum(e[a]**2, a)'))}")
    if kind == 3:
        first = rng.choice(("argmax(x[i, j], j)", "argmax(x[i, j]**2, j)", "argmax(-x[i, j], j)"))
        lets = [("b[i]", first)]
        return formula(
            inputs[:3],
            {},
            [],
            lets,
            [("y[i, a]", rng.choice(("T[b[i], a]*W[a, a]", "tanh(T[b[i], a])*x[i, b[i]]*W[0, a]")))],
        )
    lets = [("h[i, k, a]", row), ("u[j, a]", "Sum(T[j, e]*W[e, a], e)")]
    return formula(
        inputs, {}, [], lets, [("y[i, k, a]", "h[i, k, a]*u[t[i, k], a]"), ("z[i]", "Sum(h[i, k, a]**2, k, a)*x[i, 0]")]
    )


def ended(rng: Random, body: str) -> str:
    """An outer function over a body."""
    end = rng.choice(ENDS)
    return end.format(*(body,) * end.count("{}"))


def formula(
    inputs: list[str], parameters: dict[str, str], ranges: list[str], lets: list[tuple[str, str]],
    outputs: list[tuple[str, str]], loss: str = "", more: list[str] | None = None,
) -> str:  # fmt: skip
    """The YAML text."""
    lines = ["name: fuzzed", *(more or []), "inputs:", *inputs]
    if parameters:
        lines += ["parameters:", *(f"  {k}: {v}" for k, v in parameters.items())]
    if ranges:
        lines += ["ranges:", *(f'  {r.split(": ")[0]}: "{r.split(": ")[1]}"' for r in ranges)]
    for key, block in (("let", lets), ("output", outputs)):
        if block:
            lines += [f"{key}:", *(f'  "{k}": "{v}"' for k, v in block)]
    if loss:
        lines.append(f'loss: "{loss}"')
    return "\n".join(lines) + "\n"


FAMILIES = (window, pool, reshaped, gathered)
