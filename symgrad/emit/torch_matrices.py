"""Functions of matrices that generated torch modules carry when they use them."""

MATRIX_HELPERS: dict[str, str] = {}
"""Name -> source. `torch` and `math` are replaced by the module's own aliases."""

MATRIX_HELPERS["_logdet"] = '''
def _logdet(a):
    """Logarithms of the determinants; nan where one is negative."""
    sign, value = torch.linalg.slogdet(a)
    return torch.where(sign < 0, torch.nan, value)
'''
MATRIX_HELPERS["_logabsdet"] = '''
def _logabsdet(a):
    """Logarithms of the absolute values of the determinants."""
    return torch.linalg.slogdet(a)[1]
'''
MATRIX_HELPERS["_adjugate"] = '''
def _adjugate(a):
    """det(a) times the inverse of a, also where a is singular; its derivative is nan there."""
    singular = (torch.linalg.lu_factor_ex(a.detach())[2] != 0)[..., None, None]
    regular = _adjugate_by_pivots(a * torch.where(singular, torch.nan, 1))
    return torch.where(singular, _adjugate_by_pivots(a.detach()), regular)
'''
MATRIX_HELPERS["_adjugate_by_pivots"] = '''
def _adjugate_by_pivots(a):
    """Determinant and inverse by the same pivots: their errors cancel. A pivot of 0 is moved by a rounding."""
    lu, swaps, _ = torch.linalg.lu_factor_ex(a)
    pivots = lu.diagonal(dim1=-2, dim2=-1)
    top = a.detach().abs().amax(dim=(-2, -1))[..., None]
    small = torch.finfo(a.dtype).eps * torch.where(top > 0, top, 1)
    moved = torch.where(pivots == 0, small, 0)
    places = torch.arange(1, a.shape[-1] + 1, dtype=swaps.dtype, device=a.device)
    sign = 1 - 2 * ((swaps != places).sum(dim=-1) % 2).to(a.dtype)
    one = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device).expand(a.shape)
    inverse = torch.linalg.lu_solve(lu + torch.diag_embed(moved), swaps, one)
    found = (sign * (pivots + moved).prod(dim=-1))[..., None, None] * inverse
    return torch.where(top[..., None] == 0, float(a.shape[-1] == 1), found)
'''
MATRIX_HELPERS["_solve"] = '''
def _solve(a, b):
    """y with a @ y = b, for the vectors in the last axis of b; leading axes of a lead in b too."""
    lead = b.shape[: a.ndim - 2]
    columns = b.reshape(*lead, math.prod(b.shape[len(lead) : -1]), b.shape[-1]).mT
    y, wrong = torch.linalg.solve_ex(a, columns)
    return torch.where((wrong == 0)[..., None, None], y, torch.nan).mT.reshape(b.shape)
'''
MATRIX_HELPERS["_inverse"] = '''
def _inverse(a):
    """Inverses; nan where a matrix is singular."""
    inverse, wrong = torch.linalg.inv_ex(a)
    return torch.where((wrong == 0)[..., None, None], inverse, torch.nan)
'''
