"""Writes the expected messages of messages.txt anew: read the diff before you commit it."""

from pathlib import Path

from symgrad.errors import FormulaError
from symgrad.formula.reader import read_text

FILE = Path(__file__).with_name("messages.txt")
FIRST_LINE_OF_MESSAGE = ">>> "


def cases() -> list[tuple[str, str, str]]:
    """Title, text of the formula and expected message of every case."""
    found = []
    for block in FILE.read_text(encoding="utf-8").split("### ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, message = rest.partition(FIRST_LINE_OF_MESSAGE)
        found.append((title, text, message.rstrip("\n")))
    return found


def answer(text: str) -> str:
    """Exit code and message for a formula, or what else came out."""
    try:
        read_text(text, "f.yaml")
    except FormulaError as e:
        return f"exit {e.code}\n{e}"
    return "it was read"


def main() -> None:
    """Write all messages."""
    blocks = [f"### {title}\n{text}{FIRST_LINE_OF_MESSAGE}{answer(text)}\n\n" for title, text, _ in cases()]
    FILE.write_text("".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
