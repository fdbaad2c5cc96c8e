import pytest

from pipeline.escaping import escape_control, markdown_table, quote_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe\tof\nlines", "größe\tof\nlines"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("90 %\r100 %\x08", r"90 %\r100 %\x08"),
        ("\x9b2J", r"\x9b2J"),
        ("good\u202edab", r"good\u202edab"),
    ],
)
def test_only_what_acts_on_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert escape_control(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a file", "a file"), ("größe", "größe"), ("a\nb", r"'a\nb'"), ("\udced", r"'\udced'")],
)
def test_a_name_that_is_not_of_one_line_is_quoted(name: str, shown: str) -> None:
    assert quote_name(name) == shown


def test_no_cell_breaks_a_table() -> None:
    rows = [("a|b", "one\ntwo\u2028three"), ("`x`", "")]
    assert markdown_table(("name", "text"), rows).splitlines() == [
        "| name | text |",
        "| --- | --- |",
        r"| a\|b | one two three |",
        "| `x` |  |",
    ]
