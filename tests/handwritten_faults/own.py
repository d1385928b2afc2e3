"""Formulas of this folder, by hand in torch and NumPy: distillation, masked_mse."""

import numpy as np
import torch


def distillation(z, v, T=2.0):
    return T * (torch.softmax(z / T, 1) - torch.softmax(v / T, 1)) / len(z)


def distillation_temperature_cancelled(z, v, T=2.0):
    return (torch.softmax(z / T, 1) - torch.softmax(v / T, 1)) / len(z)


def distillation_square_kept(z, v, T=2.0):
    student, teacher = (torch.softmax(a / T, dim=-1) for a in (z, v))
    return T**2 * (student - teacher) / z.shape[0]


def distillation_hot_teacher(z, v, T=2.0):
    student, teacher = torch.softmax(z / T, dim=-1), torch.softmax(v, dim=-1)
    return T * (student - teacher) / z.shape[0]


def distillation_teacher_minus_student(z, v, T=2.0):
    student, teacher = torch.log_softmax(z / T, 1), torch.softmax(v / T, 1)
    loss = -(T**2) * (teacher * student).sum(1).mean()
    return loss, T * (teacher - student.exp()) / len(z)


def distillation_argmax(z, v, T=2.0):
    grad = torch.softmax(z / T, 1)
    best = v.argmax(1)
    grad[torch.arange(len(z)), best] -= 1
    return T * grad / len(z)


def masked(X, R, m):
    return np.where(m, 2 * (X - R), 0) / (1 + np.count_nonzero(m))


def masked_nothing(X, R, m):
    return 2 * (X - R) / (1 + m.sum())


def masked_by_size(X, R, m):
    E = X - R
    E[~m] = 0
    return 2 * E / X.size


def masked_smoothing_forgotten(X, R, m):
    return 2 * (X - R) * m / max(np.count_nonzero(m), 1)


def masked_inverse(X, R, m):
    return np.where(m, 0, 2 * (X - R)) / (1 + np.sum(m))


def masked_by_row(X, R, m):
    count = 1 + m.sum(axis=1, keepdims=True)
    return 2 * m * (X - R) / count


def masked_without_two(X, R, m):
    E = np.multiply(X - R, m)
    value = np.sum(E**2) / (1 + m.sum())
    return value, E / (1 + m.sum())
