"""Scores at equal budgets: what independent draws reach with the tokens that another policy spends."""
