"""torch's cov."""

CLOSED = {"z": ("4*Sum(where(j == k, 0, C[j, k]*u[i, k]), k)/(d*(n - 1))", {}, ["i", "j"])}


def reference(torch, z):
    c = torch.cov(z.T)
    return (c**2).sum().sub((torch.diagonal(c) ** 2).sum()) / z.shape[1]
