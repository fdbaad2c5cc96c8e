"""What the machine itself has to have; all else is brought by the sessions."""
