"""torch's unfold."""

DIMS = [{"b": 2, "c": 3, "h": 4, "w": 7}, {"b": 1, "c": 2, "h": 7, "w": 6}]
PARAMS = {"k": 3}
CLOSED = {"x": ("dy[i, p//k, q//k, k*(k*l + p % k) + q % k]", {}, ["i", "l", "p", "q"])}


def reference(torch, x, k=2):
    patches = x.unfold(2, k, k).unfold(3, k, k)
    return patches.permute(0, 2, 3, 1, 4, 5).flatten(3)
