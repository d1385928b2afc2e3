"""Functions of Python numbers that generated modules of every target carry when they use them."""

NUMBER_HELPERS: dict[str, str] = {}
"""Name -> source. `math` is replaced by the module's own alias."""

NUMBER_HELPERS["_number_sign"] = '''
def _number_sign(x):
    """-1, 0 or 1."""
    return (x > 0) - (x < 0)
'''
NUMBER_HELPERS["_number_relu"] = '''
def _number_relu(x):
    """The number, 0 where it is negative."""
    return x if x > 0 else 0
'''
NUMBER_HELPERS["_number_clip"] = '''
def _number_clip(x, low, high):
    """The number between two bounds."""
    return low if x < low else high if x > high else x
'''
NUMBER_HELPERS["_number_heaviside"] = '''
def _number_heaviside(x, middle):
    """0 below zero, 1 above, `middle` at zero."""
    return middle if x == 0 else 1 if x > 0 else 0
'''
NUMBER_HELPERS["_number_sigmoid"] = '''
def _number_sigmoid(x):
    """1/(1 + exp(-x)) without overflow."""
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x > 0 else e / (1 + e)
'''
NUMBER_HELPERS["_number_softplus"] = '''
def _number_softplus(x):
    """log(1 + exp(x)) without overflow."""
    return (x if x > 0 else 0) + math.log1p(math.exp(-abs(x)))
'''
NUMBER_HELPERS["_number_log_sigmoid"] = '''
def _number_log_sigmoid(x):
    """log(sigmoid(x)) without overflow."""
    return -_number_softplus(-x)
'''
NUMBER_HELPERS["_number_logcosh"] = '''
def _number_logcosh(x):
    """log(cosh(x)): without overflow for large x, without cancellation for small."""
    a = abs(x)
    if a < 1:
        return math.log1p(2 * math.sinh(a / 2) ** 2)
    return a + math.log1p(math.exp(-2 * a)) - math.log(2)
'''
NUMBER_HELPERS["_number_sech_squared"] = '''
def _number_sech_squared(x):
    """1 - tanh(x)**2 without cancellation."""
    e = math.exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2
'''
NUMBER_HELPERS["_number_logit"] = '''
def _number_logit(x):
    """log(x/(1 - x))."""
    return math.log(x) - math.log1p(-x)
'''
NUMBER_HELPERS["_number_normal_pdf"] = '''
def _number_normal_pdf(x):
    """Density of the standard normal distribution."""
    return math.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
'''
NUMBER_HELPERS["_number_normal_cdf"] = '''
def _number_normal_cdf(x):
    """Distribution function of the standard normal distribution."""
    return 0.5 * math.erfc(-math.sqrt(0.5) * x)
'''
NUMBER_HELPERS["_number_silu"] = '''
def _number_silu(x):
    """x*sigmoid(x)."""
    return x * _number_sigmoid(x)
'''
NUMBER_HELPERS["_number_gelu"] = '''
def _number_gelu(x):
    """x times the normal distribution function of x."""
    return x * _number_normal_cdf(x)
'''
NUMBER_HELPERS["_number_digamma"] = '''
def _number_digamma(x):
    """Derivative of log(gamma(x)): by recurrence to x >= 10, there the asymptotic series."""
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    y, series = 1 / x**2, 0.0
    for c in (-691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12):
        series = y * (c + series)
    return total + math.log(x) - 0.5 / x - series
'''
NUMBER_HELPERS["_number_polygamma"] = '''
def _number_polygamma(n, x):
    """Derivative number n of digamma: by recurrence to x >= 20, there the asymptotic series."""
    if n == 0:
        return _number_digamma(x)
    total = 0.0
    while x < 20:
        total += x ** -(n + 1)
        x += 1
    total += x**-n / n + 0.5 * x ** -(n + 1)
    factor = (n + 1) / 2 * x ** -(n + 2)
    for k, b in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730), start=1):
        total += b * factor
        factor *= (n + 2 * k) * (n + 2 * k + 1) / ((2 * k + 1) * (2 * k + 2) * x**2)
    return (-1) ** (n + 1) * math.factorial(n) * total
'''

NUMBER_HELPERS["_directions"] = '''
def _directions(v, dtype, /, **inputs):
    """The direction in each input, of its shape; and the dtype of the results."""
    if len(inputs) > 1 and not (isinstance(v, (tuple, list)) and len(v) == len(inputs)):
        raise TypeError(f"v must be a tuple ({', '.join(inputs)}), like the gradient")
    arrays = []
    for value, (name, like) in zip(v if len(inputs) > 1 else [v], inputs.items()):
        array = np.asarray(value)
        if array.dtype.kind != "f":
            raise TypeError(f"the direction of {name} must be an array of floating dtype, got {array.dtype}")
        if array.shape != like.shape:
            raise ValueError(
                f"the direction of {name} must have its shape {list(like.shape)}, got {list(array.shape)}"
            )
        dtype = dtype if type(value) is float else np.result_type(dtype, array)
        arrays.append(array)
    compute = np.promote_types(dtype, np.float32)
    return *(array.astype(compute, copy=False) for array in arrays), dtype
'''
