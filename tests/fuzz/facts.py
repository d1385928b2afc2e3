"""Random formulas over domains, facts, masks, several indices at once, and the rarer functions."""

from __future__ import annotations

from random import Random

from tests.fuzz.windows import formula

OF_DOMAIN: dict[str, tuple[str, ...]] = {
    "positive": ("log({})", "sqrt({})", "({})**(1/3)", "1/({})", "loggamma({})", "digamma({})", "({})**gam",
        "log({})*({})", "polygamma(1, {})"),
    "nonnegative": ("log1p({})", "({})**2", "sqrt(1 + {})", "exp(-{})", "Max({}, 1)"),
    "unit_interval": ("logit({})", "log({})", "log(1 - {})", "({})*(1 - {})", "({})**2", "acos({})", "-({})*log({})"),
    '"interval(-1, 1)"': ("asin(0.9*{})", "atanh(0.9*{})", "acos(0.9*{})", "sqrt(2 - {}**2)", "log(2 + {})"),
    '"greater_than(1)"': ("acosh({})", "log({} - 1)", "sqrt({} - 1)", "1/({} - 1)", "log({})"),
    "real": ("tan(tanh({}))", "sinh(tanh({}))", "cosh(sin({}))", "asinh({})", "atan({})", "erfc({})",
        "normal_cdf({})", "sign({})*{}", "floor({})*{}", "ceiling({}) + {}", "log_e({})"),
    "simplex": ("log({})", "({})**2", "-({})*log({})", "sqrt({})"),
    "one_hot": ("{}", "2*{}", "{}**2"),
    "boolean": ("{}", "{}**2", "1 - {}", "({})*(1 - {})"),
    "sphere": ("{}", "{}**2", "sin({})"),
}  # fmt: skip


def of_domain(rng: Random, domain: str, x: str) -> str:
    """A function that has a value on a domain."""
    return rng.choice([f for f in OF_DOMAIN[domain] if "log_e" not in f]).replace("{}", x)


def domains(rng: Random) -> str:
    """A given or differentiated input of some domain beside logits."""
    domain = rng.choice(list(OF_DOMAIN))
    given = domain in ("one_hot", "boolean") or (
        domain in ("simplex", "sphere", "unit_interval") and rng.random() < 0.7
    )
    inputs = ["  x: [n, c]", f"  t: {{shape: [n, c], domain: {domain}{', given: true' if given else ''}}}"]
    t = of_domain(rng, domain, "t[i, j]")
    e = rng.choice((
        "{t}*log_softmax(x[i, j], j)", "{t}*x[i, j]", "({t} - softmax(x[i, j], j))**2", "{t}*log(sigmoid(x[i, j]))",
        "{t}*(x[i, j] - logsumexp(x[i, j], j))", "{t}*log({t}**2 + x[i, j]**2 + 1)",
        "where(x[i, j] > t[i, j], {t}, x[i, j])",
        "{t}*exp(-x[i, j]**2)", "Max({t}, x[i, j])", "atan2({t}, 1 + x[i, j]**2)",
        "Heaviside(x[i, j] - t[i, j])*x[i, j]",
    )).replace("{t}", f"({t})")  # fmt: skip
    parameters = {"gam": "{value: 1.5, domain: positive}"} if "gam" in e else {}
    kind = rng.randrange(4)
    if kind == 0:
        return formula(inputs, parameters, [], [], [], loss=f"-Sum({e}, j)")
    if kind == 1:
        return formula(
            inputs,
            parameters,
            [],
            [("y[i, j]", "softmax(x[i, j], j)")],
            [],
            loss=f"Sum({e}, j)*Sum(y[i, j]*t[i, j], j)",
        )
    if kind == 2:
        return formula(inputs, parameters, [], [], [("y[i, j]", e)])
    return formula(inputs, parameters, [], [], [], loss=f"Sum(w[i]*{e}, i, j)/Sum(w[i], i)").replace(
        "inputs:\n", "inputs:\n  w: {shape: [n], domain: positive, given: true}\n"
    )


def matrices(rng: Random) -> str:
    """Symmetric, triangular, orthogonal and definite matrices, written with indices."""
    domain = rng.choice(("symmetric", "positive_definite", "lower_triangular", "orthogonal"))
    given = ", given: true" * (rng.random() < 0.5)
    inputs = ["  x: [n, c]", f"  A: {{shape: [c, c], domain: {domain}{given}}}"]
    lets = [
        (
            "h[i, j]",
            rng.choice(
                ("Sum(A[j, k]*x[i, k], k)", "Sum(tanh(A[k, j])*x[i, k], k)", "Sum(A[j, k]*A[l, k]*x[i, l], k, l)")
            ),
        )
    ]
    end = rng.choice(
        ("Sum(h[i, j]**2, j)", "Sum(h[i, j]*x[i, j], j)", "logsumexp(h[i, j], j) + Sum(A[j, j], j)", "norm(h[i, j], j)")
    )
    return formula(inputs, {}, [], lets, [], loss=end)


def masks(rng: Random) -> str:
    """Bool inputs as conditions, weights of 0 and 1, comparisons of indices, Piecewise of several arms."""
    inputs = [
        "  x: [n, n]",
        "  v: [n]",
        "  m: {shape: [n, n], dtype: bool}",
        "  w: {shape: [n], domain: boolean, given: true}",
    ]
    c = rng.choice((
        "m[i, j]", "Not(m[i, j])", "And(m[i, j], j <= i)", "Or(m[i, j], i == j)", "j <= i", "i == j", "i < j",
        "Ne(i, j)",
        "x[i, j] > v[j]", "And(x[i, j] > 0, m[i, j])", "j == t[i]", "i - 2 < j", "And(i <= j, j <= i + 1)",
        "~m[j, i]",
    ))  # fmt: skip
    if "t[i]" in c:
        inputs.append('  t: {shape: [n], dtype: int, domain: "integer(0, n - 1)"}')
    a, b = rng.sample(("x[i, j]", "x[i, j]**2", "v[j]", "sin(x[j, i])", "0", "1", "v[i]*v[j]", "x[i, j]*w[j]"), 2)
    kind = rng.randrange(6)
    if kind == 0:
        lets = [
            (
                "s[i, j]",
                f"Piecewise((x[i, j]*v[j], {c}), (-oo, True))"
                if "m[" not in c
                else f"where(Or({c}, i == j), x[i, j], -oo)",
            )
        ]
        if kind == 0 and "m[" not in c:
            lets = [("s[i, j]", f"where(Or({c}, i == j), x[i, j]*v[j], -oo)")]
        return formula(inputs, {}, [], [*lets, ("p[i, j]", "softmax(s[i, j], j)")], [("y[i]", "Sum(p[i, j]*v[j], j)")])
    if kind == 1:
        body = f"Piecewise(({a}, {c}), ({b}, x[i, j] < -1), (x[i, j] + v[j], True))"
        return formula(inputs, {}, [], [], [("y[i, j]", body)])
    if kind == 2:
        return formula(inputs, {}, [], [], [], loss=f"Sum(w[j]*where({c}, {a}, {b}), j) + x[i, i]**2")
    if kind == 3:
        over = rng.choice(
            (
                "amax({}, j)",
                "logsumexp({}, j)",
                "norm({}, j)",
                "mean({}, j)",
                "amax({}, j, ties=first)",
                "Product(1 + {}/4, j)",
            )
        )
        return formula(inputs, {}, [], [], [("y[i]", over.format(f"(where({c}, {a}, {b}) + x[i, j])") + "*v[i]")])
    if kind == 4:
        return formula(
            inputs,
            {},
            [],
            [("u[i]", f"Sum(where({c}, x[i, j]*v[j], 0), j)")],
            [],
            loss="Sum(w[i]*u[i]**2, i)/(1 + Sum(w[i], i))",
        )
    return formula(
        inputs,
        {},
        [],
        [],
        [("y[i, j]", f"where({c}, {a}, {b})*v[i]*v[j]"), ("z[j]", f"Sum(where({c}, {b}, v[j])*v[i], i)")],
    )


def several(rng: Random) -> str:
    """Reductions over several indices, products with zeros, first maxima, arguments of maxima, nested reductions."""
    inputs = ["  x: [n, c, d]", "  v: [c, d]", "  w: [n]"]
    e = rng.choice(
        (
            "x[i, j, k]",
            "x[i, j, k]*v[j, k]",
            "x[i, j, k] - v[j, k]",
            "sin(x[i, j, k])*w[i]",
            "(x[i, j, k] - w[i])**2",
            "relu(x[i, j, k])*v[j, k]",
        )
    )
    both = (
        "amax({}, j, k)", "amin({}, k, j)", "logsumexp({}, j, k)", "norm({}, j, k)", "Sum({}, j, k)",
        "mean({}, k, j)", "var({}, j, k)",
        "amax({}, j, k, ties=first)", "amax({}, k, j, ties=first)", "Product({}, j, k)", "Sum(amax({}, k)**2, j)",
        "amax(Sum({}, k), j)",
        "logsumexp(mean({}, k), j)", "Product(Sum({}, k), j)", "norm(logsumexp({}, k), j)",
        "Sum({}*Sum(v[j, l]**2, l), j, k)",
        "Sum(softmax({}, k)*v[j, k], j, k)",
    )  # fmt: skip
    one = (
        "amin({}, k, ties=first)",
        "Product({}, k)",
        "Product(relu({}), k)",
        "amax({}, k)",
        "norm({}, k)",
        "logsumexp({}, k)",
    )
    free = rng.choice(("i", "i", "i, j"))
    body = rng.choice(both if free == "i" else one).replace("{}", e)
    outer = rng.choice(("{}", "{}", "tanh({})", "({})**2", "softplus({})")).replace("{}", body)
    if free == "i":
        if rng.random() < 0.5:
            return formula(inputs, {}, [], [("a[i]", outer)], [], loss="a[i]*w[i] + Sum(v[j, k]**2, j, k)")
        return formula(inputs, {}, [], [], [("y[i]", f"{outer}*w[i]"), ("z", "Sum(v[j, k]*v[j, 0], j, k)")])
    return formula(inputs, {}, [], [("a[i, j]", outer)], [], loss="Sum(a[i, j]*v[j, 0], j) + w[i]**2")


def assumed(rng: Random) -> str:
    """Facts under `assume`: sums of one, sizes, signs."""
    kind = rng.randrange(3)
    if kind == 0:
        inputs = ["  z: [n, c]", "  t: {shape: [n, c], given: true, domain: nonnegative}"]
        e = rng.choice(
            (
                "-Sum(t[i, j]*log_softmax(z[i, j], j), j)",
                "Sum(t[i, j]*(logsumexp(z[i, k], k) - z[i, j])**2, j)",
                "Sum(t[i, j]*z[i, j], j) - logsumexp(z[i, j], j)*Sum(t[i, j], j)",
            )
        )
        return formula(inputs, {}, [], [], [], loss=e, more=['assume: "Sum(t[i, j], j) == 1"'])
    if kind == 1:
        inputs = ["  x: [n, d]", "  w: [h, e]"]
        return formula(
            inputs,
            {},
            ["a: h", "k: e"],
            [],
            [("y[i, a]", rng.choice(("Sum(x[i, a*e + k]*w[a, k], k)", "logsumexp(x[i, k*h + a]*w[a, k], k)")))],
            more=['assume: "d == h*e"'],
        )
    inputs = ["  x: [n]", "  s: [n]"]
    return formula(
        inputs,
        {},
        [],
        [],
        [],
        loss=rng.choice(("log(s[i]) + x[i]**2/s[i]", "sqrt(s[i])*x[i]", "Abs(s[i])*x[i]**2 + log(s[i]*2)")),
        more=['assume: "s[i] > 0"'],
    )


FAMILIES = (domains, domains, matrices, masks, masks, several, several, assumed)
