"""Sweeps: everybody's score as of one time, ranked and kept on disk, and how they are read.

Written by training, read by the service; knows nothing of models, sentences or requests.
"""
