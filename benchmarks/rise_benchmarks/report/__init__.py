"""Reports of runs and evaluations: tables, figures, a page to browse the episodes."""
