"""Fault injection: a fault is made in a copy of the product, and its gate has to report it."""
