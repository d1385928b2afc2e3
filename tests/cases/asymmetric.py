"""Composition with sigmoid and clamp."""

CLOSED = {
    "x": (
        (
            "((1 - t[i, j])*Heaviside(p[i, j] - m, 1/2)*p[i, j]*(1 - p[i, j])*q[i, j]**(gn - 1)"
            "*(q[i, j]/(1 - q[i, j]) - gn*log(1 - q[i, j]))"
            " - t[i, j]*(1 - p[i, j])**gp*(1 - p[i, j] - gp*p[i, j]*log(p[i, j])))/n"
        ),
        {},
    )
}
PARAMS = {"gp": 0.5, "gn": 3.0, "m": 0.1}


def reference(torch, x, t, gp=1.0, gn=4.0, m=0.05):
    p = torch.sigmoid(x)
    q = torch.clamp(p - m, min=0)
    return -(t * (1 - p) ** gp * torch.log(p) + (1 - t) * q**gn * torch.log(1 - q)).sum(1).mean()
