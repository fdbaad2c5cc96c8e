"""A pytest that passes: the tests of containers have tests of their own."""

from tests.unit.images.fakes.call_log import record_call

record_call()
