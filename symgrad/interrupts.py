"""The end that the user or the system asked for. A module of its own, as the command needs it before anything else."""

from __future__ import annotations


class Interrupted(BaseException):
    """A signal asked this process to end: Ctrl-C, SIGTERM, SIGHUP."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
