"""Each part of this repository goes as a whole."""

from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.scaffold.init import plan_changes, removable_features, tracked_text_files
from tests.conftest import ROOT

GENERATED = {Path("frontend/openapi.json"), Path("frontend/src/lib/api/schema.d.ts")}
"""What `nox -s api-client -- --write` generates afterwards."""
DOCUMENTS = {Path("README.md"): "# Kit\n", Path("LICENSE"): "Copyright (c) 2026 The kit\n"}
"""What is to be renamed in the documents; a change of theirs does not run these tests."""


@pytest.mark.parametrize("part", removable_features(load()))
def test_nothing_of_the_frontend_speaks_of_a_part_that_is_gone(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    change = plan_changes(tracked_text_files() | DOCUMENTS, load(), "acme-shop", part, "")
    rest = {path: text for path, text in change.new.items() if not change.removes(path)}
    speaking = {path for path, text in rest.items() if part in text.lower()}
    assert {path for path in speaking if path.parts[0] == "frontend"} <= GENERATED
