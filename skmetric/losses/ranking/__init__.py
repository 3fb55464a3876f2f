"""Losses over lists of items to rank."""
