"""Composition of logsigmoid and indexing."""

DIMS = [{"v": 5, "d": 3, "n": 4, "m": 2}, {"v": 4, "d": 2, "n": 3, "m": 5}]
MAX_CLOSED = {
    "u": 12
    + int(
        1.6
        * len(
            "Sum(where(near[i]==p,-sigmoid(-pos[i])*w[word[i],q],0)+Sum(where(far[i,j]==p,sigmoid(neg[i,j])*w[word[i],q],0),j),i)/n"
        )
    ),
    "w": 12
    + int(
        1.6 * len("Sum(where(word[i]==p,Sum(sigmoid(neg[i,j])*u[far[i,j],q],j)-sigmoid(-pos[i])*u[near[i],q],0),i)/n")
    ),
}


def reference(torch, u, w, word, near, far):
    f = torch.nn.functional.logsigmoid
    a = w[word]
    return (-f((a * u[near]).sum(1)) - f(-(a[:, None] * u[far]).sum(2)).sum(1)).mean()
