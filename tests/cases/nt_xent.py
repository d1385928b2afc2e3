"""torch's cross_entropy of cosines."""

G = {"g[i, j]": "(softmax(s[i, j], j) - where(i == j, 1, 0))/(tau*n)"}
CLOSED = {
    "a": ("(Sum(g[i, j]*v[j, k], j) - u[i, k]*tau*Sum(g[i, j]*s[i, j], j))/norm(a[i, l], l)", G, ["i", "k"]),
    "b": ("(Sum(g[j, i]*u[j, k], j) - v[i, k]*tau*Sum(g[j, i]*s[j, i], j))/norm(b[i, l], l)", G, ["i", "k"]),
}
PARAMS = {"tau": 0.2}


def reference(torch, a, b, tau=0.5):
    f = torch.nn.functional.normalize
    return torch.nn.functional.cross_entropy(f(a) @ f(b).T / tau, torch.arange(len(a)))
