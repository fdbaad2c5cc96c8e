"""Code that runs in a Django process, in the folder of a backend."""
