"""Files of NAME=value lines are read as all others read them, or refused by name and line."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deploy.env_file import format_line, parse
from pipeline.errors import InputError

PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nAB==\n-----END EC PRIVATE KEY-----\n"
READ = {
    "A=": "",
    "A=1": "1",
    "  A=1 \t": "1",
    "export A=1": "1",
    "# all\n\n \nA=1": "1",
    "A=1\r\n": "1",
    "A=x y": "x y",
    "A=a=b&c;d": "a=b&c;d",
    "A=postgres://u:p%23@db:5432/x?a=1": "postgres://u:p%23@db:5432/x?a=1",
    "A=it's": "it's",
    'A={"k": "v"}': '{"k": "v"}',
    r"A=a\nb": r"a\nb",
    "A='x # y'": "x # y",
    "A='$x'": "$x",
    """A='say "x"'""": 'say "x"',
    r"A='a\nb'": r"a\nb",
    "A=''": "",
    'A="x # y"': "x # y",
    'A="it\'s"': "it's",
    r'A="a\nb"': "a\nb",
    'A="B=1"': "B=1",
    f'A="{PEM}"': PEM,
    f"A='{PEM}'": PEM,
    "A='\nB=\n'": "\nB=\n",
    "A=\nA=1": "1",
}
REFUSED = {
    "A=redis://r:6379/0 # cache": "A: a # or $ outside of quotes",
    "A=pa#ss": "A: a # or $ outside of quotes",
    "A=#ss": "A: a # or $ outside of quotes",
    "A=pa$ss": "A: a # or $ outside of quotes",
    "A=${B}": "A: a # or $ outside of quotes",
    'A="pa$ss"': "A: a $, or a backslash without n, in double quotes",
    r'A="pa\ss"': "A: a $, or a backslash without n, in double quotes",
    r'A="pa\\n"': "A: a $, or a backslash without n, in double quotes",
    r"A='pa\\ss'": "A: two backslashes, or one at the end, in single quotes",
    "A='pass\\'": "A: two backslashes, or one at the end, in single quotes",
    "A = pass": "A: a blank next to the =",
    "A= pass": "A: a blank next to the =",
    "A =pass": "A: a blank next to the =",
    "A=\u00a0pass": "A: a blank next to the =",
    "A= # pass": "A: a blank next to the =",
    "A='pass": "A: quotes that are not closed, or text after them",
    'A="pass': "A: quotes that are not closed, or text after them",
    'A="pa"ss"': "A: quotes that are not closed, or text after them",
    "A='pass' # mine": "A: quotes that are not closed, or text after them",
    "A=`pass`": "A: quotes that are not closed, or text after them",
    f"A={PEM}": "A: a PEM belongs in quotes, from its first line to its last",
    "a=pass": "no NAME=value with a name in capital letters",
    "pass": "no NAME=value with a name in capital letters",
    "PASS": "no NAME=value with a name in capital letters",
    "pass=": "no NAME=value with a name in capital letters",
    "A: pass": "no NAME=value with a name in capital letters",
}


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_a_value_is_read(text: str, value: str) -> None:
    assert parse(".env.x", text.replace("\r\n", "\n")) == {"A": value}


def test_node_reads_the_same() -> None:
    code = "console.log(JSON.stringify(JSON.parse(process.argv[1]).map(util.parseEnv)))"
    node = ["node", "--eval", code, json.dumps([*READ])]
    done = subprocess.run(node, capture_output=True, text=True, check=True)
    assert [each["A"] for each in json.loads(done.stdout)] == [*READ.values()]


@pytest.mark.parametrize(("text", "fault"), REFUSED.items())
def test_what_could_mean_two_things_is_refused_and_not_shown(text: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(".env.x", f"# first\nB=1\n{text}\nC=1\n")
    assert str(caught.value) == f".env.x:3: {fault}"
    assert "pass" not in caught.value.hint


def test_all_lines_are_told_at_once() -> None:
    text = f'A=1\nA=2\nB=\'open\nC="x"\nD={PEM}E= 1\nfree\nF=pa$s#\n'
    with pytest.raises(InputError) as caught:
        parse(".env.x", text)
    assert str(caught.value).splitlines() == [
        ".env.x:2: A: it is set in an earlier line",
        ".env.x:3: B: quotes that are not closed, or text after them",
        ".env.x:5: D: a PEM belongs in quotes, from its first line to its last",
        ".env.x:9: E: a blank next to the =",
        ".env.x:10: no NAME=value with a name in capital letters",
        ".env.x:11: F: a # or $ outside of quotes",
    ]


def test_quotes_that_are_not_closed_take_no_other_name_in() -> None:
    with pytest.raises(InputError, match=r"^\.env\.x:1: A: quotes.*\n\.env\.x:3: C: quotes.*$"):
        parse(".env.x", 'A="pass\nB=1\nC="')


@given(st.text(alphabet="ab=#$'\"`\\\n \tnA1", max_size=12))
def test_what_is_written_is_read_again(value: str) -> None:
    try:
        line = format_line("A", value)
    except InputError:
        # what looks like another name in quotes that take a $ could be one, if they are not closed
        assert {"'", "\\"} & {*value} or {"$", "\n", "="} <= {*value}
    else:
        assert parse("", f"B=1\n{line}C=1\n") == {"A": value, "B": "1", "C": "1"}


@given(st.text(alphabet="AB=#$'\"\\\n x", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse("", text)
    except InputError as error:
        assert str(error)  # noqa: PT017 - it need not be refused
