"""Check the links between documents, and the JSON schema of pipeline.toml.

python -m pipeline.docs [--write]    `--write` updates the schema
"""

import sys
from collections.abc import Sequence

from pipeline import filesystem
from pipeline.docs.configuration import SCHEMA_FILE, render_schema
from pipeline.docs.links import broken_links, documents
from pipeline.errors import CheckFailedError, handle_errors
from pipeline.files import read_text


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: A link is broken, or the schema is not up to date.
    """
    if "--write" in arguments:
        filesystem.write_files({SCHEMA_FILE: render_schema()})
    if found := list(broken_links(documents())):
        raise CheckFailedError("; ".join(found), hint="correct the links, then: nox -s docs")
    if read_text(SCHEMA_FILE) != render_schema():
        raise CheckFailedError(f"{SCHEMA_FILE} is outdated", hint="nox -s docs -- --write")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
