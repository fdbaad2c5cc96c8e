"""What runs inside Django, in the directory of a backend."""
