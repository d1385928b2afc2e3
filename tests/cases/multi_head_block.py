"""Composition with scaled_dot_product_attention."""

DIMS = [{"b": 2, "t": 3, "e": 2}, {"b": 1, "t": 4, "e": 3}]
PARAMS = {"h": 3}
MAX_CLOSED = {"Wo": 70, "Wv": 200}


def reference(torch, x, Wq, Wk, Wv, Wo, h=2):
    q, k, v = (torch.einsum("ace,ite->iatc", w, x) for w in (Wq, Wk, Wv))
    u = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return torch.einsum("mac,iapc->ipm", Wo, u)
