"""Images: built, inspected, pushed and signed; after the push referenced by digest only."""
