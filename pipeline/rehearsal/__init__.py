"""Run builds, deploys and rollbacks on one machine under traffic, and count failed requests."""
