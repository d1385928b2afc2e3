"""torch's multi_margin_loss."""

V = {"v[i, j]": "where(j != t[i] and z[i, t[i]] - z[i, j] < 1, 1, 0)"}
CLOSED = {"z": ("(v[i, j] - where(j == t[i], Sum(v[i, k], k), 0))/(c*n)", V)}


def reference(torch, z, t):
    return torch.nn.functional.multi_margin_loss(z, t)
