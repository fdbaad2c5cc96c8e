"""Images: built once, inspected, signed, and from then on called by their digest."""
