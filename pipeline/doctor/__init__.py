"""The programs that a machine needs; sessions install everything else."""
