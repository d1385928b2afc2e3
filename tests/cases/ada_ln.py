"""torch's layer_norm between."""

MAX_CLOSED = {"x": 200, "z": 90}


def reference(torch, x, z, A, B, eps=1e-5):
    u = torch.nn.functional.layer_norm(x, x.shape[-1:], eps=eps)
    return u * (1 + z @ A.T)[:, None] + (z @ B.T)[:, None]
