"""What a copy of this repository becomes first: a product with a name of its own."""
