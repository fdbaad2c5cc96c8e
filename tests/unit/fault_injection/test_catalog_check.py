"""A fault that no longer applies is reported before any run."""

from pathlib import Path

import pytest

from pipeline.errors import CheckFailedError
from pipeline.fault_injection import catalog_check

TABLE = """\
[style]

[style."a bad word"]
change = [{ file = "product.txt", find = "good", replace = "bad" }]
expect = "E1"

[style."a bad word upon a better one"]
change = [
  { file = "product.txt", find = "good", replace = "better" },
  { file = "product.txt", find = "better", replace = "bad" },
]
expect = "E1"

[style."a new file"]
change = [{ file = "new.txt", write = "bad" }]
expect = "E1"
"""


@pytest.fixture
def product(project: Path) -> Path:
    """A product that the faults of the table fit."""
    (project / "faults/all.toml").write_text(TABLE)
    path = project / "product.txt"
    path.write_text("good\n")
    return path


def test_faults_that_fit_are_counted_and_nothing_is_touched(
    product: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog_check.main()
    assert capsys.readouterr().out == "3 faults apply\n"
    assert product.read_text() == "good\n"
    assert not product.with_name("new.txt").exists()


def test_every_fault_that_fits_no_more_is_named_with_its_reason(product: Path) -> None:
    product.write_text("well\n")
    product.with_name("new.txt").touch()
    with pytest.raises(CheckFailedError) as caught:
        catalog_check.main()
    assert str(caught.value).split("; ") == [
        "style: a bad word: product.txt has no such text: good",
        "style: a bad word upon a better one: product.txt has no such text: good",
        "style: a new file: new.txt already exists",
    ]
    assert caught.value.hint == "change the fault in faults/*.toml to match the product"


def test_a_file_that_is_gone_is_said_to_be(product: Path) -> None:
    product.unlink()
    with pytest.raises(CheckFailedError, match=r"a bad word: product\.txt does not exist"):
        catalog_check.main()
