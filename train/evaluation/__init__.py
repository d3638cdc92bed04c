"""Measuring a trained recognizer."""
