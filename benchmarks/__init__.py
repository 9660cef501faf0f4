"""Measured promises: each benchmark prints one JSON line and fails when a bar is missed."""
