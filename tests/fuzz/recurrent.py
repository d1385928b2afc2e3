"""Random recurrences: one state or two, gates, weights shared over time, losses of the last state or of all."""

from __future__ import annotations

from random import Random

from tests.fuzz.windows import formula

ACTIVATIONS = ("tanh({})", "sigmoid({})", "sin({})", "{}/(1 + ({})**2)", "relu({})", "softplus({}) - 1")
LINEAR = ("Sum(U[j, k]*h[t - 1, b, k], k)", "w[j]*h[t - 1, b, j]", "Sum(U[k, j]*h[t - 1, b, k], k)*w[j]")
INPUT = ("x[t, b, j]", "Sum(V[j, d]*x[t, b, d], d)", "x[t, b, j]*w[j]")


def recurrence(rng: Random) -> str:
    """h[t] = f(h[t - 1], x[t]), read by a loss or an output."""
    inner = f"{rng.choice(LINEAR)} + {rng.choice(INPUT)}"
    kind = rng.randrange(4)
    if kind == 0:
        following = f"(1 - w[j])*h[t - 1, b, j] + w[j]*tanh({inner})"
    elif kind == 1:
        following = f"sigmoid(x[t, b, j])*h[t - 1, b, j] + sigmoid(-x[t, b, j])*tanh({inner})"
    else:
        f = rng.choice(ACTIVATIONS)
        following = f.format(*(f"({inner})",) * f.count("{}"))
    first = rng.choice(("h0[b, j]", "tanh(h0[b, j])", "0", "h0[b, j]*w[j]"))
    text = inner + following + first
    inputs = ["  x: [l, n, m]", "  U: [m, m]", "  V: [m, m]", "  w: [m]", "  h0: [n, m]"]
    used = [i for i in inputs if f"{i.split(':')[0].strip()}[" in text]
    end = rng.randrange(4)
    scan = f'scan:\n  "h[t, b, j]": {{first: "{first}", next: "{following}"}}\n'
    if end == 0:
        body = formula(
            used, {}, [], [], [("y[t, b, j]", rng.choice(("h[t, b, j]", "h[t, b, j]**2", "sin(h[t, b, j])")))]
        )
    elif end == 1:
        body = formula(used, {}, [], [], [], loss="Sum(h[l - 1, b, j]**2, j)")
    elif end == 2:
        body = formula(used, {}, [], [], [], loss="Sum(h[t, b, j]**2*x[t, b, j], j, t)")
    else:
        body = formula(
            used, {}, [], [], [("y[b]", "logsumexp(h[l - 1, b, j], j)"), ("z[t, b]", "Sum(h[t, b, j]*x[t, b, j], j)")]
        )
    at = body.index("output:") if "output:" in body else body.index("loss:")
    return body[:at] + scan + body[at:]


FAMILIES = (recurrence,)
