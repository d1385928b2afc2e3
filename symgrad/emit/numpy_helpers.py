"""Functions that generated NumPy modules carry when they use them."""

HELPERS: dict[str, str] = {}
"""Name -> source. `np` and `math` are replaced by the module's own aliases."""

HELPERS["_softmax"] = '''
def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    e = np.exp(x - top)
    return e / np.maximum(e.sum(axis=axis, keepdims=True), 1)
'''
HELPERS["_top"] = '''
def _top(x, axis):
    """The maximum, finite where all are -inf."""
    return np.maximum(x.max(axis=axis), np.finfo(x.dtype).min)
'''
HELPERS["_log_rest"] = '''
def _log_rest(x, axis, keepdims=False):
    """log(sum(exp(x))) above the maximum: log1p of the sum of the other exponentials over the largest."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    lower = x < top
    others = (np.exp(x - top) * lower).sum(axis=axis, keepdims=keepdims)
    return np.log1p(others + ((~lower).sum(axis=axis, keepdims=keepdims) - 1).astype(x.dtype))
'''
HELPERS["_logsumexp"] = '''
def _logsumexp(x, axis):
    """log(sum(exp(x))), shifted by the maximum; a row of -inf alone gives -inf."""
    return _log_rest(x, axis) + _top(x, axis)
'''
HELPERS["_log_softmax"] = '''
def _log_softmax(x, axis):
    """x - log(sum(exp(x))), shifted by the maximum first: exact where one element is nearly all."""
    top = np.maximum(x.max(axis=axis, keepdims=True), np.finfo(x.dtype).min)
    return x - top - _log_rest(x, axis, keepdims=True)
'''
HELPERS["_complement"] = '''
def _complement(y, axis):
    """1 - y for weights that sum to 1: the sum of the others where one is more than a half."""
    small = y <= 0.5
    return (1 - y) * small + (y * small).sum(axis=axis, keepdims=True) * ~small
'''
HELPERS["_centered"] = '''
def _centered(g, y, axis):
    """g - sum(y*g) for weights y that sum to 1: g is shifted first to 0 at the largest weight."""
    top = y == y.max(axis=axis, keepdims=True, initial=0)
    count = top.sum(axis=axis, keepdims=True, dtype=g.dtype)
    g = g - np.where(top, g, 0).sum(axis=axis, keepdims=True) / count
    return g - (y * g).sum(axis=axis, keepdims=True)
'''
HELPERS["_projected"] = '''
def _projected(f, a, axis, by=None, left=0):
    """f - a*sum(by*f) where a*by sums to 1 - left: f is first freed of a, by its largest part."""
    by = a if by is None else by
    most = a * by > 0.6  # one place at most, whatever was rounded
    part = np.where(most, f / np.where(most, a, 1), 0).sum(axis=axis, keepdims=True)
    f = np.where(most, 0, f - part * a)
    return f - a * (by * f).sum(axis=axis, keepdims=True) + part * left * a
'''
HELPERS["_shifted"] = '''
def _shifted(d, z, axis):
    """softmax(z + d) - softmax(z): y*expm1(u) where they are nearly alike, u = d - log(sum(y*exp(d)))."""
    y, new = _softmax(z, axis), _softmax(z + d, axis)
    top = y == y.max(axis=axis, keepdims=True, initial=0)
    count = top.sum(axis=axis, keepdims=True, dtype=d.dtype)
    d = d - np.where(top, d, 0).sum(axis=axis, keepdims=True) / count
    u = d - np.log1p((y * np.expm1(d)).sum(axis=axis, keepdims=True))
    return np.where(np.abs(u) < 0.5, y * np.expm1(u), new - y)
'''
HELPERS["_norm"] = '''
def _norm(x, axis):
    """The 2-norm, without overflow: in double precision, or scaled by a power of two."""
    if x.dtype == np.float32:
        return np.sqrt(np.square(x, dtype=np.float64).sum(axis=axis)).astype(x.dtype)
    top = np.abs(x).max(axis=axis, keepdims=True, initial=0)
    scale = np.ldexp(np.ones_like(x, shape=top.shape), np.frexp(top)[1] - 1)
    scale = np.where((top > 0) & (top < np.inf), scale, 1)
    return np.sqrt(((x / scale) ** 2).sum(axis=axis)) * scale.squeeze(axis=axis)
'''
HELPERS["_hypot"] = '''
def _hypot(x, y):
    """sqrt(x**2 + y**2) without overflow."""
    x, y = abs(x), abs(y)
    top = np.maximum(np.maximum(x, y), np.finfo(x.dtype).tiny)
    low = np.minimum(x, y) / top
    return np.where(top < np.inf, top * np.sqrt(1 + low * low), top)
'''
HELPERS["_log1psq"] = '''
def _log1psq(x):
    """log(1 + x**2) without overflow, exact for small x."""
    x = np.abs(x)
    top = np.maximum(x, 1)
    return np.log1p((np.minimum(x, 1) / top) ** 2) + 2 * np.log(top)
'''
HELPERS["_exp_rest"] = '''
def _exp_rest(x):
    """exp(x) - 1 - x: by its series where that cancels."""
    near = np.clip(x, -1, 1)
    total = np.ones_like(x)
    for k in range(18, 2, -1):
        total = 1 + total * near / k
    return np.where(np.abs(x) < 1, total * near**2 / 2, np.expm1(x) - x)
'''
HELPERS["_log1mexp"] = '''
def _log1mexp(x):
    """log(1 - exp(x)) for x < 0, exact near 0 and far from it."""
    return np.where(x > -0.7, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))
'''
HELPERS["_logmeanexp"] = '''
def _logmeanexp(x):
    """log((1 + exp(x))/2) without overflow, exact for small x."""
    return np.maximum(x, 0) + np.log1p(np.expm1(-np.abs(x)) / 2)
'''
HELPERS["_sigmoid"] = '''
def _sigmoid(x):
    """1/(1 + exp(-x)) without overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
'''
HELPERS["_softplus"] = '''
def _softplus(x):
    """log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
'''
HELPERS["_log_sigmoid"] = '''
def _log_sigmoid(x):
    """log(sigmoid(x)) without overflow."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
'''
HELPERS["_logcosh"] = '''
def _logcosh(x):
    """log(cosh(x)): without overflow for large x, without cancellation for small."""
    a = np.abs(x)
    near = np.log1p(2 * np.sinh(np.minimum(a, 1) / 2) ** 2)
    return np.where(a < 1, near, a + np.log1p(np.exp(-2 * a)) - math.log(2))
'''
HELPERS["_sech2"] = '''
def _sech2(x):
    """1 - tanh(x)**2 without cancellation."""
    e = np.exp(-2 * np.abs(x))
    return 4 * e / (1 + e) ** 2
'''
HELPERS["_logit"] = '''
def _logit(x):
    """log(x/(1 - x))."""
    return np.log(x) - np.log1p(-x)
'''
HELPERS["_normal_pdf"] = '''
def _normal_pdf(x):
    """Density of the standard normal distribution."""
    return np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
'''
HELPERS["_silu"] = '''
def _silu(x):
    """x*sigmoid(x)."""
    return x * _sigmoid(x)
'''
HELPERS["_gelu"] = '''
def _gelu(x):
    """x times the normal distribution function of x."""
    return x * special.ndtr(x)
'''
HELPERS["_reach"] = '''
def _reach(x, *spans):
    """x[start:stop] along axes, 0 outside of the array; each span is axis, start, stop."""
    shape, inside, at = list(x.shape), [slice(None)] * x.ndim, [slice(None)] * x.ndim
    for axis, start, stop in spans:
        before, after = max(-start, 0), max(stop - x.shape[axis], 0)
        shape[axis] += before + after
        inside[axis] = slice(before, before + x.shape[axis])
        at[axis] = slice(start + before, stop + before)
    if shape != list(x.shape):
        whole = np.zeros(shape, x.dtype)
        whole[tuple(inside)] = x
        x = whole
    return x[tuple(at)]
'''
HELPERS["_strided"] = '''
def _strided(x, axis, start, step, count):
    """Entry p of the axis reads x at start + step*p, 0 outside."""
    axis %= x.ndim
    x = _reach(x, (axis, start, start + step * (count - 1) + 1))
    return x[(slice(None),) * axis + (slice(None, None, step),)]
'''
HELPERS["_contracted"] = '''
def _contracted(spec, a, b):
    """np.einsum of two arrays as one product of matrices, or one for each of the leading axes."""
    inputs, out = spec.split("->")
    left, right = inputs.split(",")
    if "..." in spec:
        count = max(x.ndim - len(t) + 3 for x, t in ((a, left), (b, right)) if "..." in t)
        left, right, out = (t.replace("...", "0123456789"[:count]) for t in (left, right, out))
    if out[:1] not in left:
        left, right, a, b = right, left, b, a
    size = dict(zip(left + right, a.shape + b.shape))
    shared = [i for i in out if i in left and i in right]
    over = [i for i in left if i in right and i not in out]
    own, new = ([i for i in out if i in t and i not in shared] for t in (left, right))
    lead = own[: sum(out.startswith("".join(own[: k + 1])) for k in range(len(own)))]
    rest = own[len(lead) :]
    if not lead or not rest:
        lead, rest = [], own

    def matrix(x, stored, names, rows, columns):
        flip = rows and columns and size[rows[-1]] > size[columns[-1]]
        groups = [columns, rows] if flip else [rows, columns]
        order = [stored.index(i) for i in names + sum(groups, [])]
        shape = [size[i] for i in names] + [math.prod(size[i] for i in g) for g in groups]
        x = x.transpose(order).reshape(shape)
        return x.swapaxes(-1, -2) if flip else x

    c = matrix(b, right, shared, new, over) @ matrix(a, left, lead + shared, over, rest)
    order = lead + shared + new + rest
    return c.reshape([size[i] for i in order]).transpose([order.index(i) for i in out])
'''
HELPERS["_windows"] = '''
def _windows(x, *windows):
    """Entry [.., p, .., u] reads an axis of x at start + step*p + dilation*u, 0 outside.

    Each window is axis, start, step, dilation, count of p, count of u; the axes u come last.
    """
    spans = []
    for axis, start, step, dilation, count, size in windows:
        if count < 1:
            raise ValueError(f"an axis of size {x.shape[axis]} holds no window of size {size}")
        stop = start + step * (count - 1) + dilation * (size - 1) + 1
        spans.append((axis % x.ndim, start, stop))
    x = _reach(x, *spans)
    lengths = [dilation * (size - 1) + 1 for *_, dilation, _, size in windows]
    axes = [axis for axis, *_ in spans]
    views = np.lib.stride_tricks.sliding_window_view(x, lengths, axes)
    at = [slice(None)] * x.ndim + [slice(None, None, w[3]) for w in windows]
    for axis, w in zip(axes, windows):
        at[axis] = slice(None, None, w[2])
    return views[tuple(at)]
'''
HELPERS["_over_taps"] = '''
def _over_taps(f, x, *axes):
    """f.reduce over the short axes of windows, slice by slice: the other axes are the long ones."""
    for axis in sorted((a % x.ndim for a in axes), reverse=True):
        first, *others = np.moveaxis(x, axis, 0)
        x = first.copy(order="K")
        for other in others:
            f(x, other, out=x)
    return x
'''
HELPERS["_argmax_of_taps"] = '''
def _argmax_of_taps(x, axis):
    """x.argmax(axis) over the short axis of windows, slice by slice."""
    x = np.moveaxis(x, axis, 0)
    top = x[0].copy(order="K")
    found = np.zeros_like(top, np.uint8 if len(x) <= 256 else np.intp)
    for k in range(1, len(x)):
        np.maximum(found, (x[k] > top) * found.dtype.type(k), out=found)
        np.maximum(top, x[k], out=top)
    found, lost = found.astype(np.intp), np.isnan(top)
    if lost.any():
        found[lost] = x[:, lost].argmax(axis=0)
    return found
'''
HELPERS["_folded"] = '''
def _folded(x, axis, start, step, extent, dilation):
    """Adds entry [.., p, .., u] at start + step*p + dilation*u of an axis; drops what is outside."""
    axis %= x.ndim
    if x.shape[axis] < x.shape[-1]:  # slice by slice of the shorter one
        x, step, dilation = x.swapaxes(axis, -1), dilation, step
    reach, low = step * (x.shape[axis] - 1) + 1, min(start, 0)
    stop = start + reach + dilation * (x.shape[-1] - 1)
    before = (slice(None),) * axis
    shape = [*x.shape[:axis], max(stop, extent) - low, *x.shape[axis + 1 : -1]]
    order = sorted(range(x.ndim - 1), key=lambda k: -x.strides[k])  # laid out as x is
    out = np.zeros([shape[k] for k in order], x.dtype).transpose(np.argsort(order))
    for u in range(x.shape[-1]):
        first = start - low + dilation * u
        out[(*before, slice(first, first + reach, step))] += x[..., u]
    return out[(*before, slice(-low, extent - low))]
'''
HELPERS["_unstrided"] = '''
def _unstrided(x, axis, start, step, extent):
    """Puts entry p of an axis at start + step*p, zeros elsewhere; drops what is outside."""
    return _folded(x[..., None], axis % x.ndim, start, step, extent, 1)
'''
HELPERS["_scattered"] = '''
def _scattered(x, first, after, *targets):
    """Adds x at positions: its axes from `first` on, but for `after` last ones, become others.

    Each target is the size of a new axis and the positions there, which broadcast against x.
    """
    first %= max(x.ndim, 1)
    lead, last = x.shape[:first], x.shape[x.ndim - after :]
    rows, width = math.prod(lead), math.prod(last)
    sizes = [size for size, _ in targets]
    at = np.arange(rows).reshape(*lead, *[1] * (x.ndim - first))
    for size, position in targets:
        at = at * size + np.asarray(position, np.intp)
    at = at * width + np.arange(width).reshape(last)
    out = np.zeros(rows * math.prod(sizes) * width, x.dtype)
    np.add.at(out, np.broadcast_to(at, x.shape).ravel(), x.ravel())
    return out.reshape(*lead, *sizes, *last)
'''
HELPERS["_floats"] = '''
def _floats(**inputs):
    """Real inputs as arrays of one dtype, and that of the results: half is computed in float32."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise TypeError(f"{name} must be an array of floating dtype, got {array.dtype}")
    weak = [value if type(value) is float else arrays[name] for name, value in inputs.items()]
    dtype = np.result_type(*weak)
    compute = np.promote_types(dtype, np.float32)
    return *(array.astype(compute, copy=False) for array in arrays.values()), dtype
'''
HELPERS["_integers"] = '''
def _integers(name, value):
    """An integer input as an array."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an array of integers, got {array.dtype}")
    return array
'''
HELPERS["_booleans"] = '''
def _booleans(name, value):
    """A truth-valued input as an array."""
    array = np.asarray(value)
    if array.dtype.kind != "b":
        raise TypeError(f"{name} must be an array of truth values, got {array.dtype}")
    return array
'''
HELPERS["_sizes"] = '''
def _sizes(name, array, expected, *sizes):
    """The shape of an array; sizes are those known, None else, `...` for any batch axes."""
    shape = tuple(array.shape)
    if sizes[:1] == (...,):
        sizes = (None,) * (len(shape) - len(sizes) + 1) + sizes[1:]
    if len(shape) != len(sizes) or any(s not in (None, n) for s, n in zip(sizes, shape)):
        known = "" if None in sizes else f" = {list(sizes)}"
        raise ValueError(f"{name} must have shape {expected}{known}, got {list(shape)}")
    return shape
'''
HELPERS["_in_range"] = '''
def _in_range(name, array, low, high, axis):
    """Raises IndexError where an integer lies outside of the axis that it subscripts."""
    if array.size and (array.min() < low or array.max() > high):
        bad = array.min() if array.min() < low else array.max()
        raise IndexError(f"{name} holds {bad}, outside of {low} to {high} ({axis})")
'''
HELPERS["_reduced"] = '''
def _reduced(values, reduction):
    """The mean, the sum, or the values themselves."""
    if reduction == "mean":
        return values.sum() / values.size
    if reduction == "sum":
        return values.sum()
    if reduction == "none":
        return values
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
'''
HELPERS["_scale"] = '''
def _scale(reduction, count):
    """The weight of one element of the batch in the reduced loss."""
    if reduction not in ("mean", "sum"):
        raise ValueError(f"a gradient needs reduction 'mean' or 'sum', got {reduction!r}")
    return 1 / max(count, 1) if reduction == "mean" else 1
'''
HELPERS["_demand"] = '''
def _demand(condition, text):
    """Raises ValueError where a condition does not hold."""
    if not np.all(condition):
        raise ValueError(f"the data break {text}")
'''
HELPERS["_tolerance"] = '''
def _tolerance(dtype):
    """How far data may miss a fact: rounding is no violation."""
    return {2: 1e-2, 4: 1e-4}.get(dtype.itemsize, 1e-6)
'''
