"""Contextual bandits: posteriors over arms' weights, policies that say their probabilities.

Arrays in, a choice and its propensity out. Knows nothing of what an arm stands for: a bid's
multiplier, a creative, a blend of recommenders.
"""
