"""Reports of runs and evaluations: tables, figures, and a page to browse the episodes."""
