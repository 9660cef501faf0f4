"""Fitting uplift: trials, the proof that they were dealt at random, learners, halves, the run."""
