"""Matrix functions by hand, NumPy and torch: quadratic_form, log_determinant and others."""

import numpy as np
import torch


def quadratic(x, A):
    return (A + A.T) @ x, np.outer(x, x)


def quadratic_as_if_symmetric(x, A):
    return 2 * A @ x, np.outer(x, x)


def quadratic_one_side(x, A):
    return A @ x, np.outer(x, x)


def quadratic_transposed_twice(x, A):
    return 2 * (A.T @ x), x[:, None] * x[None, :]


def quadratic_matrix_doubled(x, A):
    return A @ x + A.T @ x, 2 * np.outer(x, x)


def quadratic_difference(x, A):
    value = x @ A @ x
    return value, ((A - A.T) @ x, np.outer(x, x))


def quadratic_halved(x, A):
    return 0.5 * (A + A.T) @ x, 0.5 * np.multiply.outer(x, x)


def logdet(X):
    return torch.linalg.inv(X).T


def logdet_of_det(X):
    return torch.linalg.det(X) * torch.linalg.inv(X).T


def logdet_is_x(X):
    return X.T.clone()


def logdet_sign(X):
    return -torch.linalg.inv(X).T


def logdet_symmetric_convention(X):
    inverse = torch.linalg.inv(X)
    return 2 * inverse - torch.diag(torch.diagonal(inverse))


def logdet_twice(X):
    return torch.logdet(X), 2 * torch.linalg.inv(X).mT


def determinant(X):
    rows = [[_minor(X, i, j) * (-1) ** (i + j) for j in range(X.shape[1])] for i in range(X.shape[0])]
    return np.array(rows, dtype=X.dtype).reshape(X.shape)


def _minor(X, i, j):
    return np.linalg.det(np.delete(np.delete(X, i, 0), j, 1))


def determinant_not_transposed(X):
    return determinant(X).T.copy()


def determinant_of_log(X):
    return np.linalg.inv(X).T


def determinant_minors_without_signs(X):
    grad = np.empty_like(X)
    for i in range(len(X)):
        for j in range(len(X)):
            grad[i, j] = _minor(X, i, j)
    return grad


def determinant_of_inverse(X):
    return np.linalg.inv(X).T / np.linalg.det(X)


def determinant_nan_where_singular(X):
    try:
        return np.linalg.det(X) * np.linalg.inv(X).T
    except np.linalg.LinAlgError:
        return np.full_like(X, np.nan)


def trace_bilinear(X, A, B):
    return A.T @ X.T @ B.T + B.T @ X.T @ A.T


def trace_bilinear_one_term(X, A, B):
    return A.T @ X.T @ B.T


def trace_bilinear_transposed(X, A, B):
    return A @ X @ B + B @ X @ A


def trace_bilinear_doubled(X, A, B):
    return 2 * (B @ X @ A).T


def trace_bilinear_minus(X, A, B):
    left, right = A.T @ X.T @ B.T, B.T @ X.T @ A.T
    return left - right


def trace_bilinear_sign(X, A, B):
    return -np.einsum("ij,kj,lk->il", A.T, X, B) - np.einsum("ij,kj,lk->il", B.T, X, A)


def least_squares(A, x, b):
    return 2 * A.T @ (A @ x - b)


def least_squares_half(A, x, b):
    return A.T @ (A @ x - b)


def least_squares_mean(A, x, b):
    r = A @ x - b
    return r @ r, 2 * A.T @ r / len(r)


def least_squares_without_target(A, x, b):
    return 2 * A.T @ A @ x


def least_squares_target_sign(A, x, b):
    return 2 * A.T @ (A @ x + b)


def least_squares_normalized(A, x, b):
    r = A @ x - b
    return A.T @ r / np.linalg.norm(r)


def least_squares_sign(A, x, b):
    residual = b - A @ x
    grad = np.zeros_like(x)
    for row, r in zip(A, residual, strict=True):
        grad += 2 * r * row
    return grad


def ridge(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t) + lam * w, np.mean(r)


def ridge_penalty_doubled(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t) + 2 * lam * w, r.mean()


def ridge_penalty_lost(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t), r.mean()


def ridge_penalty_divided(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return (X.T @ r + lam * w) / len(t), r.mean()


def ridge_data_doubled(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return 2 * X.T @ r / len(t) + lam * w, 2 * r.mean()


def ridge_intercept_sum(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return np.einsum("ij,i->j", X, r) / len(r) + lam * w, r.sum()


def ridge_intercept_in_data_lost(X, w, b, t, lam=0.1):
    r = X @ w - t
    return X.T @ r / len(t) + lam * w, r.mean()


def lasso(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t) + lam * np.sign(w), r.mean()


def lasso_kink_at_zero(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t) + lam * np.where(w >= 0, 1, -1), r.mean()


def lasso_as_ridge(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t) + lam * w, r.mean()


def lasso_one_for_all(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t) + lam, r.mean()


def lasso_penalty_sign(X, w, b, t, lam=0.1):
    r = X @ w + b - t
    return X.T @ r / len(t) - lam * np.sign(w), r.mean()


def bilinear_inverse(X, a, b):
    u, v = np.linalg.solve(X.T, a), np.linalg.solve(X, b)
    return -np.outer(u, v), v, u


def bilinear_inverse_transposed(X, a, b):
    u, v = np.linalg.solve(X.T, a), np.linalg.solve(X, b)
    return -np.outer(v, u), v, u


def bilinear_inverse_sign(X, a, b):
    inverse = np.linalg.inv(X)
    return np.outer(a @ inverse, inverse @ b), inverse @ b, inverse.T @ a


def bilinear_inverse_single(X, a, b):
    return -np.outer(a, np.linalg.solve(X, b)), np.linalg.solve(X, b), np.linalg.solve(X.T, a)


def bilinear_inverse_vectors_swapped(X, a, b):
    inverse = np.linalg.inv(X)
    return -inverse.T @ np.outer(a, b) @ inverse.T, inverse.T @ b, inverse @ a
