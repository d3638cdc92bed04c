"""Curated and mixed word-image datasets."""
