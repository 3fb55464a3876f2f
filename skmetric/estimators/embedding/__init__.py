"""Estimators that learn an embedding."""
