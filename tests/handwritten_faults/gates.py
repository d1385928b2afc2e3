"""Layers with inner non-linearities, in NumPy: swiglu, attention, softmax, rnn_cell."""

import numpy as np


def _sigmoid(a):
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, e) / (1 + e)


def _rows(a):
    return a.reshape(-1, a.shape[-1])


def _swiglu_backward(x, W, V, da, db):
    dW = _rows(da).T @ _rows(x)
    dV = _rows(db).T @ _rows(x)
    return da @ W + db @ V, dW, dV


def swiglu(x, W, V, dy):
    a, b = x @ W.T, x @ V.T
    s = _sigmoid(a)
    return _swiglu_backward(x, W, V, dy * b * s * (1 + a * _sigmoid(-a)), dy * a * s)


def swiglu_gate_without_product_rule(x, W, V, dy):
    a, b = x @ W.T, x @ V.T
    s = _sigmoid(a)
    return _swiglu_backward(x, W, V, dy * b * s, dy * a * s)


def swiglu_value_branch_lost(x, W, V, dy):
    a, b = x @ W.T, x @ V.T
    s = _sigmoid(a)
    da, db = dy * b * (s + a * s * (1 - s)), dy * a * s
    return da @ W, _rows(da).T @ _rows(x), _rows(db).T @ _rows(x)


def swiglu_value_without_gate(x, W, V, dy):
    a, b = x @ W.T, x @ V.T
    s = _sigmoid(a)
    da, db = dy * b * (s + a * s * (1 - s)), dy * s
    dW, dV = np.einsum("no,nk->ok", _rows(da), _rows(x)), np.einsum("no,nk->ok", _rows(db), _rows(x))
    return da @ W + (dy * a * s) @ V, dW, dV


def swiglu_weights_swapped(x, W, V, dy):
    a, b = x @ W.T, x @ V.T
    s = _sigmoid(a)
    dx, dW, dV = _swiglu_backward(x, W, V, dy * b * s * (1 + a * (1 - s)), dy * a * s)
    return dx, dV, dW


def swiglu_value_sign(x, W, V, dy):
    a, b = x @ W.T, x @ V.T
    s = _sigmoid(a)
    dx, dW, dV = _swiglu_backward(x, W, V, dy * b * s * (1 + a * (1 - s)), dy * a * s)
    return dx, dW, -dV


def _softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(Q, K, V, dO):
    scale = 1 / np.sqrt(Q.shape[-1]).astype(Q.dtype)
    P = _softmax(Q @ K.transpose(0, 2, 1) * scale)
    dP = dO @ V.transpose(0, 2, 1)
    dS = P * (dP - (P * dP).sum(axis=-1, keepdims=True)) * scale
    return dS @ K, dS.transpose(0, 2, 1) @ Q, P.transpose(0, 2, 1) @ dO


def attention_unscaled(Q, K, V, dO):
    P = _softmax(Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1]).astype(Q.dtype))
    dP = dO @ V.transpose(0, 2, 1)
    dS = P * (dP - np.sum(P * dP, axis=-1, keepdims=True))
    return dS @ K, dS.transpose(0, 2, 1) @ Q, P.transpose(0, 2, 1) @ dO


def attention_uncoupled(Q, K, V, dO):
    d = Q.shape[-1]
    P = _softmax(np.einsum("nik,njk->nij", Q, K) / d**0.5)
    dS = P * np.einsum("nia,nja->nij", dO, V) / d**0.5
    return np.einsum("nij,njk->nik", dS, K), np.einsum("nij,nik->njk", dS, Q), np.einsum("nij,nia->nja", P, dO)


def attention_coupled_over_queries(Q, K, V, dO):
    d = Q.shape[-1]
    P = _softmax(np.einsum("nik,njk->nij", Q, K) / d**0.5)
    dP = np.einsum("nia,nja->nij", dO, V)
    dS = P * (dP - (P * dP).sum(axis=1, keepdims=True)) / d**0.5
    return np.einsum("nij,njk->nik", dS, K), np.einsum("nij,nik->njk", dS, Q), np.einsum("nij,nia->nja", P, dO)


def attention_values_without_weights(Q, K, V, dO):
    d = Q.shape[-1]
    P = _softmax(np.einsum("nik,njk->nij", Q, K) / d**0.5)
    dP = np.einsum("nia,nja->nij", dO, V)
    dS = P * (dP - (P * dP).sum(axis=-1, keepdims=True)) / d**0.5
    dV = np.broadcast_to(dO.sum(axis=1, keepdims=True), V.shape).copy()
    return np.einsum("nij,njk->nik", dS, K), np.einsum("nij,nik->njk", dS, Q), dV


def attention_key_sign(Q, K, V, dO):
    dQ, dK, dV = attention(Q, K, V, dO)
    return dQ, -dK, dV


def attention_scaled_by_keys(Q, K, V, dO):
    P = _softmax(Q @ K.swapaxes(1, 2) / np.sqrt(Q.shape[-1]).astype(Q.dtype))
    dP = dO @ V.swapaxes(1, 2)
    dS = P * (dP - (P * dP).sum(-1, keepdims=True)) / np.sqrt(K.shape[1]).astype(Q.dtype)
    return dS @ K, dS.swapaxes(1, 2) @ Q, P.swapaxes(1, 2) @ dO


def softmax(x, dy):
    y = _softmax(x)
    return y * (dy - np.sum(y * dy, axis=-1, keepdims=True))


def softmax_diagonal_only(x, dy):
    y = _softmax(x)
    return dy * y * (1 - y)


def softmax_uncoupled(x, dy):
    return _softmax(x) * dy


def softmax_coupling_unweighted(x, dy):
    y = _softmax(x)
    return y * (dy - dy.sum(axis=-1, keepdims=True))


def softmax_mean_for_sum(x, dy):
    y = _softmax(x)
    return y * (dy - np.mean(y * dy, axis=-1, keepdims=True))


def softmax_without_shift(x, dy):
    with np.errstate(all="ignore"):
        y = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
        return y * (dy - (y * dy).sum(axis=-1, keepdims=True))


def softmax_jacobian_sign(x, dy):
    y = _softmax(x)
    jac = y[..., :, None] * y[..., None, :]
    jac = jac - y[..., None] * np.eye(x.shape[-1], dtype=x.dtype)
    return np.einsum("...jk,...j->...k", jac, dy)


def rnn(x, h, W, U, b, dy):
    y = np.tanh(x @ W.T + h @ U.T + b)
    da = dy * (1 - y) * (1 + y)
    return da @ W, da @ U, _rows(da).T @ _rows(x), _rows(da).T @ _rows(h), _rows(da).sum(0)


def rnn_recurrent_not_transposed(x, h, W, U, b, dy):
    y = np.tanh(x @ W.T + h @ U.T + b)
    da = dy * (1 - y**2)
    return da @ W, da @ U.T, _rows(da).T @ _rows(x), _rows(da).T @ _rows(h), _rows(da).sum(0)


def rnn_weight_transposed(x, h, W, U, b, dy):
    y = np.tanh(x @ W.T + h @ U.T + b)
    da = dy * (1 - y**2)
    return da @ W, da @ U, _rows(da).T @ _rows(x), _rows(h).T @ _rows(da), _rows(da).sum(0)


def rnn_tanh_forgotten(x, h, W, U, b, dy):
    return dy @ W, dy @ U, _rows(dy).T @ _rows(x), _rows(dy).T @ _rows(h), _rows(dy).sum(0)


def rnn_tanh_not_squared(x, h, W, U, b, dy):
    y = np.tanh(x @ W.T + h @ U.T + b)
    da = dy * (1 - y)
    return da @ W, da @ U, _rows(da).T @ _rows(x), _rows(da).T @ _rows(h), _rows(da).sum(0)


def rnn_bias_after_tanh(x, h, W, U, b, dy):
    y = np.tanh(x @ W.T + h @ U.T + b)
    da = dy * (1 - y**2)
    return da @ W, da @ U, _rows(da).T @ _rows(x), _rows(da).T @ _rows(h), _rows(dy).sum(0)
