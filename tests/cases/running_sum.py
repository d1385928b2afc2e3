"""torch's cumsum."""

MAX_CLOSED = {"x": 230}


def reference(torch, x):
    return x.cumsum(1), x.softmax(1).cumsum(1)
