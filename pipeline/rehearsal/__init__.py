"""The whole chain on one machine, under traffic: what a deploy does to users is seen, not hoped."""
