"""Files as people save them: places of characters, encodings, and YAML 1.2."""

from __future__ import annotations

from hashlib import sha256

import pytest

from symgrad.errors import FormulaError, UnsupportedError, UsageError
from symgrad.formula.document import Mapping, Scalar, clean, read_document
from symgrad.formula.reader import read_bytes, read_file, read_mapping, read_text

PLAIN = "name: f\ninputs:\n  z: [n, c]\nloss: Sum(z[i, j]**2, j)\n"


def scalar(text: str, key: str = "loss") -> Scalar:
    root = read_document(clean(text, "f.yaml"))
    assert isinstance(root, Mapping)
    node = root.get(key)
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    "written",
    [
        "Sum(z[i], i)",
        "'Sum(z[i], i)'",
        '"Sum(z[i], i)"',
        "|\n  Sum(z[i],\n      i)",
        ">-\n  Sum(z[i],\n  i)",
        "Sum(z[i],\n    i)",
        "|  # why\n  Sum(z[i], i)",
        '"Sum(z[i],\n  i)"',
        "  |2-\n    Sum(z[i], i)",
    ],
)
def test_every_character_of_a_value_knows_its_place(written: str) -> None:
    node = scalar(f"name: f\nloss: {written}\n")
    source = node.text.source.text
    for k, c in enumerate(node.value):
        assert c.isspace() or source[node.text.at(k)] == c


def test_escapes_count_as_they_are_written() -> None:
    node = scalar('loss: "a\\u0062\\x63d"\n')
    assert node.value == "abcd"
    assert node.text.where(3, 4).column == len('loss: "a\\u0062\\x63d')


def test_doubled_quotes_count_as_two() -> None:
    node = scalar("loss: 'a''b'\n")
    assert node.value == "a'b"
    assert node.text.where(2, 3).column == len("loss: 'a''b")


def test_words_that_yaml_1_1_reads_as_booleans_are_text() -> None:
    program = read_text("name: f\ninputs: {no: [n], on: [n], yes: [n]}\nloss: Sum(no[i]*on[i]*yes[i], i)\n").program
    assert [i.name for i in program.inputs] == ["no", "on", "yes"]


@pytest.mark.parametrize(
    "data",
    [PLAIN.encode("utf-8-sig"), PLAIN.replace("\n", "\r\n").encode(), b"%YAML 1.2\n---\n" + PLAIN.encode() + b"...\n"],
)
def test_byte_order_marks_windows_lines_and_document_markers_are_read(data: bytes) -> None:
    f = read_bytes(data, "f.yaml")
    assert f.program.loss.body is read_text(PLAIN).program.loss.body
    assert f.sha256 == sha256(data).hexdigest()


def test_the_line_is_right_in_a_file_with_windows_lines() -> None:
    with pytest.raises(FormulaError) as caught:
        read_bytes(PLAIN.replace("z[i, j]", "w[i, j]").replace("\n", "\r\n").encode(), "f.yaml")
    assert caught.value.where is not None
    assert (caught.value.where.line, caught.value.where.column) == (4, 11)
    assert caught.value.where.source == "loss: Sum(w[i, j]**2, j)"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"# nothing\n", "empty"),
        (b"- a\n", "mapping"),
        (b"hello\n", "mapping"),
        (b"\xff\xfea\0", "UTF-8"),
        (b"name: caf\xe9\n", "UTF-8"),
        (b"name: a\0b\n", r"U\+0000"),
        (b"name: \x1b[2J\n", r"U\+001B"),
        (b'name: "\\ud83d"\n', r"U\+D83D"),
        (b'summary: "\\u202e"\n', r"U\+202E"),
    ],
)
def test_what_is_no_text_of_a_formula_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FormulaError, match=words):
        read_bytes(data, "f.yaml")


def test_large_files_are_refused_by_their_size() -> None:
    with pytest.raises(UnsupportedError, match="limit is 1 MiB"):
        read_bytes(b"#" * (1 << 20) + PLAIN.encode(), "f.yaml")


def test_a_missing_file_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_file("/nowhere/f.yaml")


def test_a_mapping_reads_as_its_yaml_does() -> None:
    mapping = {
        "name": "f",
        "inputs": {"x": ["...", "d"], "t": {"shape": ["..."], "dtype": "int", "domain": "integer(0, d - 1)"}},
        "parameters": {"eps": 1e-5, "k": {"value": 2, "dtype": "int"}},
        "loss": "-log_softmax(x[..., k_], k_) + 0*x[..., t[...]] + eps",
    }
    f = read_mapping(mapping)
    again = read_text(f.text)
    assert again.program.statements[0].body is f.program.statements[0].body
    assert again.sha256 == f.sha256


def test_errors_in_a_mapping_show_its_canonical_yaml() -> None:
    with pytest.raises(FormulaError) as caught:
        read_mapping({"name": "f", "inputs": {"x": ["n"]}, "loss": "Sum(x[i], i) + w"})
    assert caught.value.where is not None
    assert caught.value.where.file == "<mapping>"
    assert caught.value.where.source == 'loss: "Sum(x[i], i) + w"'
