"""Losses over positive and negative pairs."""
