"""Functions of matrices that generated NumPy modules carry when they use them."""

MATRIX_HELPERS: dict[str, str] = {}
"""Name -> source. `np` and `math` are replaced by the module's own aliases."""

MATRIX_HELPERS["_logdet"] = '''
def _logdet(a):
    """Logarithms of the determinants; nan where one is negative."""
    sign, value = np.linalg.slogdet(a)
    return np.where(sign < 0, np.nan, value).astype(a.dtype)
'''
MATRIX_HELPERS["_logabsdet"] = '''
def _logabsdet(a):
    """Logarithms of the absolute values of the determinants."""
    return np.linalg.slogdet(a)[1]
'''
MATRIX_HELPERS["_determinant"] = '''
def _determinant(a):
    """Determinants: LAPACK's logarithms keep their digits near 0, so a is brought there by powers of two."""
    scaled, power = _near_one(a)
    return np.ldexp(np.linalg.det(scaled), a.shape[-1] * power)
'''
MATRIX_HELPERS["_near_one"] = '''
def _near_one(a):
    """a over powers of two, the determinants of the matrices near 1; and the exponents."""
    log = np.linalg.slogdet(a)[1] / (max(a.shape[-1], 1) * math.log(2))
    power = np.rint(np.where(np.isfinite(log), log, 0)).astype(np.int32)
    return np.ldexp(a, -power[..., None, None]), power
'''
MATRIX_HELPERS["_adjugate"] = '''
def _adjugate(a):
    """det(a) times the inverse of a, also where a is singular."""
    try:
        scaled, power = _near_one(a)
        whole = np.linalg.det(scaled)[..., None, None] * np.linalg.inv(scaled)
        return np.ldexp(whole, ((a.shape[-1] - 1) * power)[..., None, None])
    except np.linalg.LinAlgError:
        finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
        u, s, v = np.linalg.svd(np.where(finite, a, 0))
        others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(axis=-1)
        sign = np.linalg.det(u) * np.linalg.det(v)
        found = (v.swapaxes(-1, -2) * (sign[..., None] * others)[..., None, :]) @ u.swapaxes(-1, -2)
        return np.where(finite, found, np.nan).astype(a.dtype)
'''
MATRIX_HELPERS["_solve"] = '''
def _solve(a, b):
    """y with a @ y = b, for the vectors in the last axis of b; leading axes of a lead in b too."""
    lead = b.shape[: a.ndim - 2]
    columns = b.reshape(*lead, math.prod(b.shape[len(lead) : -1]), b.shape[-1]).swapaxes(-1, -2)
    try:
        y = np.linalg.solve(a, columns)
    except np.linalg.LinAlgError:
        y = _inverse(a) @ columns
    return y.swapaxes(-1, -2).reshape(b.shape)
'''
MATRIX_HELPERS["_inverse"] = '''
def _inverse(a):
    """Inverses; nan where a matrix is singular."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        singular = (np.linalg.slogdet(a)[0] == 0)[..., None, None]
        regular = np.linalg.inv(np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a))
        return np.where(singular, np.nan, regular).astype(a.dtype)
'''
