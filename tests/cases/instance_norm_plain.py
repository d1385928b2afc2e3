"""torch's instance_norm."""

NO_GRADGRAD = True
MAX_CLOSED = {
    "x": 12
    + int(
        1.6
        * len(
            "(dy[i,k,a,b]-(Sum(dy[i,k,p,q],p,q)+y[i,k,a,b]*Sum(dy[i,k,p,q]*y[i,k,p,q],p,q))/(h*w))/sqrt(var(x[i,k,p,q],p,q)+eps)"
        )
    )
}


def reference(torch, x, eps=1e-5):
    return torch.nn.functional.instance_norm(x, eps=eps)
