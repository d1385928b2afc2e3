"""Measurements that need more time than a test has; each is a package run with `python -m`."""
