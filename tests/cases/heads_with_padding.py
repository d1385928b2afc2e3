"""torch's scaled_dot_product_attention with a mask."""

D = {
    "D[i, a, p, r]": "A[i, a, p, r]*(Sum(do[i, a, p, x]*v[i, a, r, x], x)"
    " - Sum(do[i, a, p, x]*o[i, a, p, x], x))/sqrt(e)"
}
CLOSED = {
    "q": ("Sum(D[i, a, p, r]*k[i, a, r, x], r)", D, ["i", "a", "p", "x"]),
    "k": ("Sum(D[i, a, p, r]*q[i, a, p, x], p)", D, ["i", "a", "r", "x"]),
    "v": ("Sum(A[i, a, p, r]*do[i, a, p, x], p)", {}, ["i", "a", "r", "x"]),
}
EXTREME = {"q": [30]}


def reference(torch, q, k, v, real):
    t = q.shape[2]
    mask = (real[:, None, None] | torch.eye(t, dtype=torch.bool)) & torch.ones(t, t, dtype=torch.bool).tril()
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
