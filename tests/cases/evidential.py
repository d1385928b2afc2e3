"""torch's lgamma."""

B = "(v[i]*(t[i] - g[i])**2 + w[i])"
CLOSED = {
    "g": (f"(2*a[i] + 1)*v[i]*(g[i] - t[i])/(n*{B})", {}),
    "v": (
        f"((a[i] + 1/2)*((t[i] - g[i])**2 + 2*b[i])/{B} - 1/(2*v[i]) - 2*a[i]*b[i]/w[i])/n",
        {},
    ),
    "a": (f"(log({B}/w[i]) + digamma(a[i]) - digamma(a[i] + 1/2))/n", {}),
    "b": (f"((a[i] + 1/2)*w[i]/{B} - a[i])/(n*b[i])", {}),
}


def reference(torch, g, v, a, b, t):
    w = 2 * b * (1 + v)
    nll = torch.log(torch.pi / v) / 2 - a * torch.log(w) + (a + 0.5) * torch.log(v * (t - g) ** 2 + w)
    return (nll + torch.lgamma(a) - torch.lgamma(a + 0.5)).mean()
