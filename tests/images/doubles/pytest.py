"""A pytest that passes: the tests of containers have tests of their own."""

from tests.images.doubles.ledger import record

record()
