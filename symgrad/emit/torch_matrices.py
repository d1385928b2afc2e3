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
    p, low, up = torch.linalg.lu(a.detach())
    pivots = up.diagonal(dim1=-2, dim2=-1)
    zero = pivots == 0
    top = a.detach().abs().amax(dim=(-2, -1))[..., None]
    small = torch.finfo(a.dtype).eps * torch.where(top > 0, top, 1)
    pivots = torch.where(zero, small, pivots)
    up = up + torch.diag_embed(torch.where(zero, small, 0))
    below = torch.linalg.solve_triangular(low, p.mT, upper=False, unitriangular=True)
    inverse = torch.linalg.solve_triangular(up, below, upper=True)
    near = (torch.linalg.det(p) * pivots.prod(dim=-1))[..., None, None] * inverse
    near = torch.where(top[..., None] > 0, near, float(a.shape[-1] == 1))
    singular = zero.any(dim=-1)[..., None, None]
    a = a * torch.where(singular, torch.nan, 1)
    return torch.where(singular, near, torch.linalg.det(a)[..., None, None] * torch.linalg.inv_ex(a)[0])
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
