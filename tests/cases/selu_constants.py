"""torch's selu."""

CLOSED = {"x": ("scale*dy[...]*where(x[...] > 0, 1, alpha*exp(x[...]))", {}, ["..."])}
EXTREME = {"x": [1000]}


def reference(torch, x, scale=1.0507009873554805, alpha=1.6732632423543772):
    return scale * torch.where(x > 0, x, alpha * torch.expm1(torch.clamp(x, max=0)))
