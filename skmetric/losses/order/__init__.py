"""Losses of orders: RankSim, differentiable ranks, correlations."""
