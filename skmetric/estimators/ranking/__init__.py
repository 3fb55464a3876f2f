"""Estimators that learn to rank."""
