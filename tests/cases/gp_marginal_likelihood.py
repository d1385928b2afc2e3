"""The marginal likelihood as gpytorch writes it."""


def reference(torch, x, y, s, ell, noise):
    square = ((x[:, None] - x[None]) ** 2).sum(-1)
    K = s * torch.exp(-square / (2 * ell**2)) + noise * torch.eye(len(x), dtype=x.dtype)
    constant = len(x) * torch.log(torch.tensor(2 * torch.pi, dtype=x.dtype))
    return (y @ torch.linalg.solve(K, y) + torch.logdet(K) + constant) / 2
