"""Composition with silu."""

G = {"g[..., j]": "Sum(U[o, j]*dy[..., o], o)"}
GA = {**G, "h[..., j]": "g[..., j]*b[..., j]*s[..., j]*(1 + a[..., j]*(1 - s[..., j]))"}
GB = {**G, "h[..., j]": "g[..., j]*a[..., j]*s[..., j]"}
CLOSED = {
    "V": ("Sum(h[..., j]*x[..., k], ...)", GA, ["j", "k"]),
    "W": ("Sum(h[..., j]*x[..., k], ...)", GB, ["j", "k"]),
    "U": ("Sum(dy[..., o]*a[..., j]*s[..., j]*b[..., j], ...)", {}, ["o", "j"]),
    "x": (
        "Sum(ha[..., j]*V[j, k] + hb[..., j]*W[j, k], j)",
        {**G, "ha[..., j]": GA["h[..., j]"], "hb[..., j]": GB["h[..., j]"]},
        ["...", "k"],
    ),
}


def reference(torch, x, V, W, U):
    return (torch.nn.functional.silu(x @ V.T) * (x @ W.T)) @ U.T
