"""The report page: one HTML file with tables, definitions, figures, settings and a browser of episodes."""
