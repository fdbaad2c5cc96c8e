"""Fail if a link between the documents leads nowhere: python -m pipeline.docs."""

from pipeline.docs.links import broken_links, documents
from pipeline.errors import CheckFailedError, handle_errors

if __name__ == "__main__":
    with handle_errors():
        if broken := list(broken_links(documents())):
            raise CheckFailedError("; ".join(broken), hint="mend the links, then: nox -s docs")
