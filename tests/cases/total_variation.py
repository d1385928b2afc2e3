"""Composition of differences."""

MAX_CLOSED = 330


def KINK(x):
    x["x"][0, 0, 1] = x["x"][0, 0, 0]


def reference(torch, x):
    return (x.diff(dim=1).abs().sum((1, 2)) + x.diff(dim=2).abs().sum((1, 2))).mean()
