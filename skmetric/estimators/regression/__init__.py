"""Estimators of numbers."""
