"""Fail if a link between documents is broken: python -m pipeline.docs."""

from pipeline.docs.links import broken_links, documents
from pipeline.errors import CheckFailedError, handle_errors

if __name__ == "__main__":
    with handle_errors():
        if _broken := list(broken_links(documents())):
            raise CheckFailedError("; ".join(_broken), hint="correct the links, then: nox -s docs")
