"""Fitting how errors move with data, size and compute."""
