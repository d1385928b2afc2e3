"""torch's triplet_margin_loss."""

ON = "where(dp[i] - dq[i] + margin > 0, "
CLOSED = {
    "a": (ON + "u[i, j]/dp[i] - v[i, j]/dq[i], 0)/n", {}),
    "p": (ON + "-u[i, j]/dp[i], 0)/n", {}),
    "q": (ON + "v[i, j]/dq[i], 0)/n", {}),
}
PARAMS = {"margin": 0.2}


def reference(torch, a, p, q, margin=1.0):
    return torch.nn.functional.triplet_margin_loss(a, p, q, margin=margin)
