"""Benchmarks of the speed, memory and quality of skmetric and its peers: ``python -m benchmarks``."""
