"""Rendering of synthetic word images."""
