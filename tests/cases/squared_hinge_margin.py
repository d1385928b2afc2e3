"""Composition with torch.relu."""

CLOSED = {"score": ("-2*label[i]*relu(m - label[i]*score[i])/n", {})}
PARAMS = {"m": 0.5}


def SAMPLE(rng, x, dims):
    x["label"] = rng.choice([-1.0, 1.0], x["label"].shape)


def KINK(x):
    x["score"][0], x["label"][0] = 1.0, 1.0


def reference(torch, score, label, m=1.0):
    return (torch.relu(m - label * score) ** 2).mean()
