"""The ground floor: what a dataset is, and what every stage shares. Imports nothing of ours."""
