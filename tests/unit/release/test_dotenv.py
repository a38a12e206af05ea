"""What is read from a .env file."""

import pytest

from nuages.errors import UsageError
from nuages.release.dotenv import read

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b  ", "b"),
        ("A=b # said", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A='b # c'", "b # c"),
        ("A='b\\n'", "b\\n"),
        ('A="b\\nc"', "b\nc"),
        ('A="say \\"b\\""', 'say "b"'),
        ('A="b"  # said', "b"),
        ("A='two\nlines'", "two\nlines"),
        ("A=p@ss=word&x", "p@ss=word&x"),
        ("A=b c", "b c"),
        ("\ufeffA=b", "b"),
        ("A=b\r\n", "b"),
    ],
)
def test_a_value_is_read_as_python_dotenv_does(line, value):
    assert read(line, ".env")["A"].text == value


def test_comments_and_empty_lines_are_passed_over_and_the_last_of_one_name_holds():
    found = read("# first\n\nA=1\n  # more\nB='x\ny'\nA=2", ".env")
    assert {name: (value.text, value.line) for name, value in found.items()} == {"A": ("2", 7), "B": ("x\ny", 5)}


@pytest.mark.parametrize(
    ("line", "refers"), [("A=${B}", True), ('A="x${B}"', True), ("A='${B}'", False), ('A="\\${B}"', False)]
)
def test_a_value_that_refers_to_another_variable_is_marked(line, refers):
    assert read(line, ".env")["A"].refers is refers


@pytest.mark.parametrize("line", ["hunter2", "A='hunter2", 'A="hunter2" hunter3', "=hunter2"])
def test_a_line_that_is_none_is_named_by_number_and_never_quoted(line):
    with pytest.raises(UsageError) as caught:
        read(f"OK=1\n{line}", "some.env")
    assert caught.value.place == "some.env:2"
    assert "hunter" not in f"{caught.value.message} {caught.value.hint}"
