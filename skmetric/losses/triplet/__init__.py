"""Triplet losses, and the mining of triplets."""
