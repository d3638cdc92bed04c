"""Studies: many mixtures, one cause."""
