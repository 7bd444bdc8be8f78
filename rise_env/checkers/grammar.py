"""Binding powers and operator tables of the grammar, loosest first."""

RELATION, RATIO, UNION, SUM, PRODUCT, SIGN, POWER = 10, 15, 20, 30, 40, 45, 60

RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "≈", "≡", "∈", "⊆", "⊂", "≅", "⊥", "∥"})
SEPARATORS = frozenset({",", ";", "and", "or", "&"})
SET_OPERATIONS = {"∪": "union", "∩": "intersection", "∖": "setminus"}
STARTS = frozenset({"(", "[", "{", "\\{", "⌊", "⌈", "l|", "⟨", "‖"})
"""Operators that may begin the second factor of a product without a sign."""
POSTFIX = frozenset({"!", "%", "‰", "°", "'"})
DEEPEST_CALLS = 150
"""Expressions inside one another."""
MOST_PREFIXES = 3
"""Signs in front of one term, less one."""
