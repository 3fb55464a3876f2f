"""Losses over pairs of positives and negatives."""
