"""torch's embedding_bag."""

CLOSED = {"table": ("Sum(where(t[i, s] == k, w[i, s]*dy[i, a], 0), i, s)", {}, ["k", "a"])}


def reference(torch, table, t, w):
    return torch.nn.functional.embedding_bag(t, table, per_sample_weights=w, mode="sum")
