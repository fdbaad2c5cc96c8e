"""The library of the pipeline: the code behind the sessions of noxfile.py and tasks.py."""
