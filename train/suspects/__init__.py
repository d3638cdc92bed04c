"""Finding labels that are probably wrong."""
