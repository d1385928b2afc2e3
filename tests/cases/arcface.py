"""torch's cross_entropy of the shifted angles."""

CLOSED = {
    "s": (
        (
            "scale*where(j == t[i], (softmax(z[i, j], j) - 1)*sin(acos(s[i, j]) + m)/sqrt(1 - s[i, j]**2),"
            " softmax(z[i, j], j))/n"
        ),
        {},
    )
}
PARAMS = {"m": 0.3, "scale": 4.0}


def SAMPLE(rng, x, dims):
    x["s"] = rng.uniform(-0.9, 0.9, x["s"].shape)


def reference(torch, s, t, m=0.5, scale=16.0):
    hit = torch.nn.functional.one_hot(t, s.shape[1]).bool()
    return torch.nn.functional.cross_entropy(scale * torch.where(hit, torch.cos(torch.acos(s) + m), s), t)
