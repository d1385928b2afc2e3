"""torch.distributions.Categorical."""

CLOSED = {"logits": ("(adv[i]*(p[i, j] - where(j == action[i], 1, 0)) + beta*p[i, j]*(log(p[i, j]) + H[i]))/n", {})}
PARAMS = {"beta": 0.5}
EXTREME = {"logits": [10]}


def reference(torch, logits, action, adv, beta=0.01):
    d = torch.distributions.Categorical(logits=logits)
    return (-adv * d.log_prob(action) - beta * d.entropy()).mean()
