"""Composition in torch."""

CLOSED = {
    "a": ("2*where(same[i], 1, -relu(m - e[i])/e[i])*(a[i, j] - b[i, j])/n", {}),
    "b": ("2*where(same[i], 1, -relu(m - e[i])/e[i])*(b[i, j] - a[i, j])/n", {}),
}


def reference(torch, a, b, same, m=2.0):
    e = torch.linalg.vector_norm(a - b, dim=1)
    return torch.where(same, e**2, torch.relu(m - e) ** 2).mean()
