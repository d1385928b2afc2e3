"""torch.distributions.StudentT."""

CLOSED = {
    "mu": ("-(nu[i] + 1)*r[i]/(n*sigma[i]*(nu[i] + r[i]**2))", {}),
    "sigma": ("(1 - (nu[i] + 1)*r[i]**2/(nu[i] + r[i]**2))/(n*sigma[i])", {}),
    "nu": (
        (
            "(digamma(nu[i]/2) - digamma((nu[i] + 1)/2) + 1/nu[i] + log(1 + r[i]**2/nu[i])"
            " - (nu[i] + 1)*r[i]**2/(nu[i]*(nu[i] + r[i]**2)))/(2*n)"
        ),
        {},
    ),
}


def reference(torch, mu, sigma, nu, x):
    return -torch.distributions.StudentT(nu, mu, sigma).log_prob(x).mean()
