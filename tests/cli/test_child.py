"""The parent survives whatever its children do, says why they ended, and leaves no process behind."""

import faulthandler
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from symgrad import limits
from symgrad.child import Message, Send, Watch
from symgrad.errors import FormulaError, LimitError, Where
from symgrad.failures import Failure


class Heard:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.faults: dict[str, Failure | None] = {}

    def message(self, key: str, message: Message) -> None:
        self.messages.append({"key": key, **message})

    def ended(self, key: str, fault: Failure | None) -> None:
        self.faults[key] = fault

    def tick(self) -> None:
        pass


def run(work: Callable[[Send], None], seconds: float = 20.0) -> Heard:
    heard = Heard()
    Watch(heard, seconds).run([("a", work)])
    return heard


def test_what_a_child_sends_arrives_in_order() -> None:
    def work(send: Send) -> None:
        for k in range(3):
            send({"k": k, "text": "é\n" * 40_000})

    heard = run(work)
    assert [m["k"] for m in heard.messages] == [0, 1, 2]
    assert heard.faults == {"a": None}


def test_an_error_of_the_formula_arrives_with_its_place() -> None:
    def work(send: Send) -> None:
        raise FormulaError("two ranges", Where("loss.yaml", 9, 27, 1, "loss: x", "here"), "mend it")

    (message,) = run(work).messages
    assert message["code"] == 2
    assert message["failure"] == {
        "kind": "formula", "message": "two ranges", "file": "loss.yaml", "line": 9, "column": 27, "help": "mend it",
    }  # fmt: skip
    assert "--> loss.yaml:9:27" in str(message["told"])


def _crash(send: Send) -> None:
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


def _check_forever() -> None:
    while True:
        limits.check()


def _deep(n: int) -> int:
    return 1 + _deep(n + 1)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (_crash, "crashed (SIGSEGV)"),
        (lambda send: os.kill(os.getpid(), signal.SIGKILL), "want of memory"),
        (lambda send: os._exit(7), "ended without a result"),
        (lambda send: time.sleep(60), "time limit of 0.3 s (--time-limit)"),
    ],
)
def test_a_child_that_ends_without_a_word_is_a_limit_named(work: Callable[[Send], None], said: str) -> None:
    fault = run(work, 0.3).faults["a"]
    assert fault is not None
    assert fault.code == 3
    assert said in fault.text


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [
        (lambda send: _deep(0), 3, "nests too deeply"),
        (lambda send: bytearray(1 << 60), 3, "memory ran out"),
        (lambda send: {}["x"], 3, "symgrad itself failed"),
        (lambda send: sys.exit(1), 3, "symgrad itself failed"),
    ],
)
def test_an_exception_in_a_child_is_told_without_a_traceback(
    work: Callable[[Send], None], code: int, said: str
) -> None:
    (message,) = run(work).messages
    assert message["code"] == code
    assert said in str(message["told"])
    assert "Traceback" not in str(message["told"])


def test_a_bounded_address_space_stops_a_huge_allocation_at_once() -> None:
    def work(send: Send) -> None:
        with limits.bounded_address_space(1 << 28), limits.within(growth=1 << 28):
            bytearray(1 << 29)

    (message,) = run(work).messages
    assert message["told"] == "the derivation was stopped at the memory limit of 256 MiB (--memory-limit)"


def test_a_new_phase_starts_the_clock_anew() -> None:
    def work(send: Send) -> None:
        send({"phase": "the validation", "seconds": 0.2})
        time.sleep(60)

    fault = run(work).faults["a"]
    assert fault is not None
    assert fault.text == "the validation was stopped at the time limit of 0.2 s (--time-limit)"


def test_grandchildren_end_with_their_child() -> None:
    def work(send: Send) -> None:
        process = subprocess.Popen(["sleep", "60"])
        send({"pid": process.pid})

    heard = run(work)
    assert _ends(int(str(heard.messages[0]["pid"])))


def test_at_most_so_many_run_at_once() -> None:
    heard = Heard()

    def work(send: Send) -> None:
        send({"at": "start"})
        time.sleep(0.15)
        send({"at": "end"})

    Watch(heard).run([(str(k), work) for k in range(4)], jobs=2)
    running = most = 0
    for m in heard.messages:
        running += 1 if m["at"] == "start" else -1
        most = max(most, running)
    assert most == 2
    assert set(heard.faults) == {"0", "1", "2", "3"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_children_end_when_their_parent_is_interrupted_or_killed(tmp_path: Path, number: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys, time\n"
        "from symgrad.child import Watch\n"
        "from symgrad.interrupts import Interrupted\n"
        "class Heard:\n"
        "    def message(self, key, message): print(message['pid'], flush=True)\n"
        "    def ended(self, key, fault): pass\n"
        "    def tick(self): pass\n"
        "def work(send):\n"
        "    send({'pid': os.getpid()})\n"
        "    time.sleep(60)\n"
        "try:\n"
        "    Watch(Heard()).run([('a', work)])\n"
        "except Interrupted as e:\n"
        "    sys.exit(100 + e.number)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(number)
    assert parent.wait(10) == (-9 if number == signal.SIGKILL else 100 + number)
    parent.stdout.close()
    assert _ends(child)


def _ends(pid: int, patience: float = 5.0) -> bool:
    """Whether the process is gone soon."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        if stat.rpartition(")")[2].split()[0] in "ZX":
            return True
        time.sleep(0.02)
    return False


def test_within_names_time_and_depth() -> None:
    with pytest.raises(LimitError, match=r"time limit of 0.01 s"), limits.within(0.01):
        _check_forever()
    with pytest.raises(LimitError, match="nests too deeply"), limits.within():
        _deep(0)
    limits.check()
