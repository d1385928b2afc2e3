"""torch's kl_div."""

CLOSED = {"z": ("T*(softmax(z[i, j]/T, j) - q[i, j])/n", {})}
PARAMS = {"T": 1.5}
EXTREME = {"z": [100]}


def reference(torch, z, teacher, T=4.0):
    f = torch.nn.functional
    a, b = f.log_softmax(z / T, 1), f.log_softmax(teacher / T, 1)
    return T**2 * f.kl_div(a, b, reduction="batchmean", log_target=True)
