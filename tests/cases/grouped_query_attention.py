"""torch's scaled_dot_product_attention with enable_gqa."""

DIMS = [{"b": 2, "h": 2, "t": 3, "d": 4, "e": 3}, {"b": 1, "h": 3, "t": 4, "d": 2, "e": 2}]
PARAMS = {"g": 3}
MAX_CLOSED = {"Q": 220, "K": 250, "V": 110}


def reference(torch, Q, K, V, g=2):
    return torch.nn.functional.scaled_dot_product_attention(Q, K, V, is_causal=True, enable_gqa=True)
