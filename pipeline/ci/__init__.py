"""`invoke ci`, the plan of a CI run, and the gate that checks the results of its jobs."""
