"""Running a study: processes, locks, rows, and what is shown of it."""
