"""Differentiated through the solution."""


def reference(torch, X, y, lam):
    G = X.T @ X + lam * torch.eye(X.shape[1], dtype=X.dtype)
    w = torch.linalg.solve(G, X.T @ y)
    return ((X @ w - y) ** 2).sum() + lam * (w**2).sum()
