"""Private: compares expressions with sympy in worker processes, which are killed if they take too long."""
