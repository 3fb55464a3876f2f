"""Losses that compare orders: RankSim, differentiable ranks, correlations."""
