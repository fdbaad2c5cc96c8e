"""The pipeline as a library: what the sessions of noxfile.py and the tasks of tasks.py run."""
