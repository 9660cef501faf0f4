"""Fitting churn: settings, refusals, folds, the learner, the hazard, and the run over them."""
