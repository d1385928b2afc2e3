"""Matrix functions of the catalogue."""

import numpy as np


def gram_logdet(X):
    return 2 * X @ np.linalg.inv(X.T @ X)


def gram_logdet_once(X):
    return np.linalg.solve(X.T @ X, X.T).T


def gram_logdet_pseudo_inverse(X):
    return 2 * np.linalg.pinv(X)


def gram_logdet_not_inverted(X):
    return 2 * X @ (X.T @ X)


def frobenius(X):
    size = np.sqrt((X * X).sum())
    return X / size if size > 0 else np.zeros_like(X)


def frobenius_squared(X):
    return 2 * X


def frobenius_columns(X):
    size = np.linalg.norm(X, axis=0, keepdims=True)
    return X / np.where(size > 0, size, 1)


def inverse_trace(X, A):
    K = np.linalg.inv(X + A)
    return -(K @ K).T


def inverse_trace_not_transposed(X, A):
    K = np.linalg.inv(X + A)
    return -K @ K


def inverse_trace_single(X, A):
    return -np.linalg.inv(X + A).T


def inverse_trace_gram(X, A):
    K = np.linalg.inv(X + A)
    return -K.T @ K
