"""A part goes with its marks, and nothing else does."""

import pytest

from pipeline.scaffold.features import marker_errors, strip_feature

PYTHON = """\
APPS = [
    "accounts",
    "parcels",  # shop
]
# shop:
# are sent by hand
# :shop

# a shop is no mark, and neither is "# shop" within a line  # or this
path = "workshop"
"""
TYPESCRIPT = """\
import { Parcels } from './parcels' // shop
// shop:
const parcels = 1
// :shop
return (
  <>
    {/* shop: */}
    <Parcels />
    {/* :shop */}
    <Bag /> {/* shop */}
    <Home />
  </>
)
"""
MARKDOWN = """\
# Products

<!-- shop: -->
## Parcels
<!-- :shop -->
| a | row |
| b | row | <!-- shop -->
"""


def test_lines_and_blocks_go_in_each_language() -> None:
    assert strip_feature(PYTHON, "shop") == (
        'APPS = [\n    "accounts",\n]\n\n'
        '# a shop is no mark, and neither is "# shop" within a line  # or this\n'
        'path = "workshop"\n'
    )
    assert strip_feature(TYPESCRIPT, "shop") == "return (\n  <>\n    <Home />\n  </>\n)\n"
    assert strip_feature(MARKDOWN, "shop") == "# Products\n\n| a | row |\n"


def test_other_parts_stay() -> None:
    assert strip_feature(PYTHON, "post") == PYTHON
    assert strip_feature(PYTHON, "sho") == PYTHON


def test_what_is_taken_away_once_is_not_there_twice() -> None:
    once = strip_feature(TYPESCRIPT, "shop")
    assert strip_feature(once, "shop") == once


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("# shop:\nx\n", ["1: `shop:` has no end"]),
        ("x\n# :shop\n", ["2: `:shop` has no start"]),
        ("# shop:\n# shop:\n# :shop\n", ["2: `shop:` inside the section of line 1"]),
        ("# shop:\n# :shop\n", []),
        ("# post:\n", []),
        ("# :shop\n<!-- shop: -->\n", ["1: `:shop` has no start", "2: `shop:` has no end"]),
    ],
)
def test_marks_that_do_not_fit_are_named_with_their_lines(text: str, output: list[str]) -> None:
    assert list(marker_errors(text, "shop")) == output
