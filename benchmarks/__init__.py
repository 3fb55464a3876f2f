"""Benchmarks: what skmetric costs and what it gives, beside its peers. ``python -m benchmarks``."""
