"""`invoke init`: give a copy of the template its own name, and remove parts of it."""
