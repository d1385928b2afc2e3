"""Functions that generated torch modules carry when they use them."""

HELPERS: dict[str, str] = {}
"""Name -> source. `torch` and `math` are replaced by the module's own aliases."""

HELPERS["_softmax"] = '''
def _softmax(x, axis):
    """exp(x) over its sum, shifted by the maximum; a row of -inf alone gives 0."""
    top = x.detach().amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = torch.exp(x - top)
    return e / e.sum(dim=axis, keepdim=True).clamp(min=1)
'''
HELPERS["_top"] = '''
def _top(x, axis):
    """The maximum, finite where all are -inf; autograd sees the first of equals."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    return x.amax(dim=axis).clamp(min=torch.finfo(x.dtype).min)
'''
HELPERS["_log_rest"] = '''
def _log_rest(x, axis, keepdim=False):
    """log(sum(exp(x))) above the maximum: log1p of the sum of the other exponentials over the largest."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    top = x.amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    lower = x < top
    others = (torch.exp(x - top) * lower).sum(dim=axis, keepdim=keepdim)
    rest = others + ((~lower).sum(dim=axis, keepdim=keepdim) - 1)
    return torch.where(rest < 0, -torch.inf, torch.log1p(rest.clamp(min=0)))
'''
HELPERS["_logsumexp"] = '''
def _logsumexp(x, axis):
    """log(sum(exp(x))), shifted by the maximum; a row of -inf alone gives -inf."""
    return _log_rest(x, axis) + _top(x, axis)
'''
HELPERS["_log_softmax"] = '''
def _log_softmax(x, axis):
    """x - log(sum(exp(x))), shifted by the maximum first: exact where one element is nearly all."""
    top = x.amax(dim=axis, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    return x - top - _log_rest(x, axis, keepdim=True)
'''
HELPERS["_complement"] = '''
def _complement(y, axis):
    """1 - y for weights that sum to 1: the sum of the others where one is more than a half."""
    small = y <= 0.5
    return (1 - y) * small + (y * small).sum(dim=axis, keepdim=True) * ~small
'''
HELPERS["_centered"] = '''
def _centered(g, y, axis):
    """g - sum(y*g) for weights y that sum to 1: g is shifted first to 0 at the largest weight."""
    top = y == y.amax(dim=axis, keepdim=True)
    count = top.sum(dim=axis, keepdim=True)
    g = g - torch.where(top, g, 0).sum(dim=axis, keepdim=True) / count
    return g - (y * g).sum(dim=axis, keepdim=True)
'''
HELPERS["_projected"] = '''
def _projected(f, a, axis, by=None, left=0):
    """f - a*sum(by*f) where a*by sums to 1 - left: f is first freed of a, by its largest part."""
    by = a if by is None else by
    most = a * by > 0.6  # one place at most, whatever was rounded
    divisor = torch.where(most, torch.as_tensor(a, dtype=f.dtype, device=f.device), 1)
    part = torch.where(most, f / divisor, 0).sum(dim=axis, keepdim=True)
    f = torch.where(most, 0, f - part * a)
    return f - a * (by * f).sum(dim=axis, keepdim=True) + part * left * a
'''
HELPERS["_shifted"] = '''
def _shifted(d, z, axis):
    """softmax(z + d) - softmax(z): y*expm1(u) where they are nearly alike, u = d - log(sum(y*exp(d)))."""
    y, new = _softmax(z, axis), _softmax(z + d, axis)
    top = y == y.amax(dim=axis, keepdim=True)
    count = top.sum(dim=axis, keepdim=True)
    d = d - torch.where(top, d, 0).sum(dim=axis, keepdim=True) / count
    u = d - torch.log1p((y * torch.expm1(d)).sum(dim=axis, keepdim=True))
    return torch.where(torch.abs(u) < 0.5, y * torch.expm1(u), new - y)
'''
HELPERS["_norm"] = '''
def _norm(x, axis):
    """The 2-norm, scaled by a power of two so that no square overflows or vanishes."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    top = x.detach().abs().amax(dim=axis, keepdim=True)
    sane = (top > 0) & (top < torch.inf)
    top = torch.where(sane, torch.exp2(torch.log2(torch.where(sane, top, 1)).floor()), 1)
    total = ((x / top) ** 2).sum(dim=axis, keepdim=True)
    zero = total == 0
    root = torch.where(zero, 0, torch.sqrt(torch.where(zero, 1, total)) * top)
    return root.sum(dim=axis)
'''
HELPERS["_hypot"] = '''
def _hypot(x, y):
    """sqrt(x**2 + y**2) without overflow."""
    return torch.hypot(x, y if isinstance(y, torch.Tensor) else torch.full_like(x, y))
'''
HELPERS["_log1psq"] = '''
def _log1psq(x):
    """log(1 + x**2) without overflow, exact for small x."""
    x = torch.abs(x)
    top = x.clamp(min=1)
    return torch.log1p((x.clamp(max=1) / top) ** 2) + 2 * torch.log(top)
'''
HELPERS["_exp_rest"] = '''
def _exp_rest(x):
    """exp(x) - 1 - x: by its series where that cancels."""
    near = x.clamp(-1, 1)
    total = torch.ones_like(x)
    for k in range(18, 2, -1):
        total = 1 + total * near / k
    return torch.where(torch.abs(x) < 1, total * near**2 / 2, torch.expm1(x) - x)
'''
HELPERS["_log1mexp"] = '''
def _log1mexp(x):
    """log(1 - exp(x)) for x < 0, exact near 0 and far from it."""
    near = x > -0.7
    close, far = torch.where(near, x, -1), torch.where(near, -1, x)
    return torch.where(near, torch.log(-torch.expm1(close)), torch.log1p(-torch.exp(far)))
'''
HELPERS["_logmeanexp"] = '''
def _logmeanexp(x):
    """log((1 + exp(x))/2) without overflow, exact for small x."""
    return x.clamp(min=0) + torch.log1p(torch.expm1(-torch.abs(x)) / 2)
'''
HELPERS["_sigmoid"] = '''
def _sigmoid(x):
    """1/(1 + exp(-x)) down to the smallest numbers: exp(x)*sigmoid(-x) where x < 0, by one formula for autograd."""
    low = x.clamp(min=-1000, max=0)
    return torch.exp(low) * torch.sigmoid(torch.sub(x, low, alpha=2))
'''
HELPERS["_softplus"] = '''
def _softplus(x):
    """log(1 + exp(x)) without overflow."""
    return -torch.nn.functional.logsigmoid(-x)
'''
HELPERS["_logcosh"] = '''
def _logcosh(x):
    """log(cosh(x)): without overflow for large x, without cancellation for small."""
    a = torch.abs(x)
    near = torch.log1p(2 * torch.sinh(torch.where(a < 1, x, 1) / 2) ** 2)
    return torch.where(a < 1, near, a + torch.log1p(torch.exp(-2 * a)) - math.log(2))
'''
HELPERS["_sech2"] = '''
def _sech2(x):
    """1 - tanh(x)**2 without cancellation."""
    e = torch.exp(-2 * torch.abs(x))
    return 4 * e / (1 + e) ** 2
'''
HELPERS["_normal_cdf"] = '''
def _normal_cdf(x):
    """Distribution function of the standard normal distribution."""
    return 0.5 * torch.erfc(-math.sqrt(0.5) * x)
'''
HELPERS["_normal_pdf"] = '''
def _normal_pdf(x):
    """Density of the standard normal distribution."""
    return torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
'''
HELPERS["_silu"] = '''
def _silu(x):
    """x*sigmoid(x)."""
    return x * _sigmoid(x)
'''
HELPERS["_gelu"] = '''
def _gelu(x):
    """x times the normal distribution function of x."""
    return x * _normal_cdf(x)
'''
HELPERS["_reach"] = '''
def _reach(x, *spans):
    """x[start:stop] along axes, 0 outside of the array; each span is axis, start, stop."""
    pads, sizes = [0] * (2 * x.ndim), x.shape
    for axis, start, stop in spans:
        last = 2 * (x.ndim - 1 - axis)
        pads[last : last + 2] = max(-start, 0), max(stop - sizes[axis], 0)
    if any(pads):
        x = torch.nn.functional.pad(x, pads)
    for axis, start, stop in spans:
        x = x.narrow(axis, max(start, 0), stop - start)
    return x
'''
HELPERS["_strided"] = '''
def _strided(x, axis, start, step, count):
    """Entry p of the axis reads x at start + step*p, 0 outside."""
    axis %= x.ndim
    x = _reach(x, (axis, start, start + step * (count - 1) + 1))
    return x[(slice(None),) * axis + (slice(None, None, step),)]
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
    for (axis, *_), (_, _, step, dilation, _, size) in zip(spans, windows):
        x = x.unfold(axis, dilation * (size - 1) + 1, step)[..., ::dilation]
    return x
'''
HELPERS["_folded"] = '''
def _folded(x, axis, start, step, extent, dilation):
    """Adds entry [.., p, .., u] at start + step*p + dilation*u of an axis; drops what is outside."""
    axis, low = axis % x.ndim, min(start, 0)
    count, size = x.shape[axis], x.shape[-1]
    stop = start + step * (count - 1) + dilation * (size - 1) + 1
    slide = torch.arange(count, device=x.device)[:, None] * step
    positions = slide + torch.arange(size, device=x.device) * dilation + (start - low)
    x = x.movedim(-1, axis + 1).flatten(axis, axis + 1)
    zeros = x.new_zeros((*x.shape[:axis], max(stop, extent) - low, *x.shape[axis + 1 :]))
    return zeros.index_add(axis, positions.flatten(), x).narrow(axis, -low, extent)
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
    lead, own, last = x.shape[:first], x.shape[first : x.ndim - after], x.shape[x.ndim - after :]
    rows, width = math.prod(lead), math.prod(last)
    sizes = [size for size, _ in targets]
    at = torch.arange(rows, device=x.device).reshape(*lead, *[1] * len(own), *[1] * after)
    for size, position in targets:
        at = at * size + position
    at = at.expand(*lead, *own, *[1] * after).reshape(-1, 1).expand(-1, width)
    zeros = x.new_zeros((rows * math.prod(sizes), width))
    return zeros.scatter_add(0, at, x.reshape(-1, width)).reshape(*lead, *sizes, *last)
'''
HELPERS["_floats"] = '''
def _floats(**inputs):
    """Real inputs in one dtype, and that of the results: half is computed in float32."""
    for name, tensor in inputs.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
        if not tensor.dtype.is_floating_point:
            raise TypeError(f"{name} must be a tensor of floating dtype, got {tensor.dtype}")
    tensors = inputs.values()
    dtypes = [t.dtype for t in tensors if t.ndim] or [t.dtype for t in tensors]
    dtype = functools.reduce(torch.promote_types, dtypes)
    compute = torch.promote_types(dtype, torch.float32)
    return *(t.to(compute) for t in tensors), dtype
'''
HELPERS["_integers"] = '''
def _integers(name, tensor):
    """An integer input."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex or tensor.dtype == torch.bool:
        raise TypeError(f"{name} must be a tensor of integers, got {tensor.dtype}")
    return tensor.long()
'''
HELPERS["_booleans"] = '''
def _booleans(name, tensor):
    """A truth-valued input."""
    if not isinstance(tensor, torch.Tensor) or tensor.dtype != torch.bool:
        got = getattr(tensor, "dtype", type(tensor).__name__)
        raise TypeError(f"{name} must be a tensor of truth values, got {got}")
    return tensor
'''
HELPERS["_in_range"] = '''
def _in_range(name, tensor, low, high, axis):
    """Raises IndexError where an integer lies outside of the axis that it subscripts.

    Not under torch.compile, torch.func transforms or on meta tensors: there are no values to see.
    """
    if torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return
    if tensor.numel() and not tensor.is_meta:
        smallest, largest = (int(v) for v in torch.aminmax(tensor))
        if smallest < low or largest > high:
            bad = smallest if smallest < low else largest
            raise IndexError(f"{name} holds {bad}, outside of {low} to {high} ({axis})")
'''
HELPERS["_reduced"] = '''
def _reduced(values, reduction):
    """The mean, the sum, or the values themselves."""
    if reduction == "mean":
        return values.mean()
    if reduction == "sum":
        return values.sum()
    if reduction == "none":
        return values
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
'''
HELPERS["_sizes"] = '''
def _sizes(name, tensor, expected, *sizes):
    """The shape of a tensor; sizes are those known, None else, `...` for any batch axes."""
    shape = tuple(tensor.shape)
    if sizes[:1] == (...,):
        sizes = (None,) * (len(shape) - len(sizes) + 1) + sizes[1:]
    if len(shape) != len(sizes) or any(s not in (None, n) for s, n in zip(sizes, shape)):
        known = "" if None in sizes else f" = {list(sizes)}"
        raise ValueError(f"{name} must have shape {expected}{known}, got {list(shape)}")
    return shape
'''
