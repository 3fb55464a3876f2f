"""Losses over lists of items to be ranked."""
