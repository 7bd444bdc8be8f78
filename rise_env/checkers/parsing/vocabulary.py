"""Tables of the parser: the words and commands that it knows, and the binding powers of operators."""

CONSTANTS = {"pi": "pi", "infty": "infinity", "infinity": "infinity", "inf": "infinity", "imath": "i",
             "exponentialE": "e", "imaginaryI": "i"}  # fmt: skip

FUNCTIONS = {
    name: name
    for name in (
        "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth sech csch log ln exp lg gcd "
        "lcm max min det tr abs sqrt cbrt floor ceil factorial binomial gamma arg deg dim erf sgn Re "
        "Im cis arcsinh arccosh arctanh sign conjugate"
    ).split()
} | {
    "arccot": "arccot", "arcsec": "arcsec", "arccsc": "arccsc", "asin": "arcsin", "acos": "arccos",
    "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "tg": "tan", "ctg": "cot",
    "cosec": "csc", "ceiling": "ceil", "binom": "binomial", "choose": "binomial", "Gamma": "gamma",
    "arcsh": "arcsinh", "sgn": "sign", "arctg": "arctan", "lb": "log2", "mod": "mod",
}  # fmt: skip
"""Name of a function as it is written, without backslash -> its name in the tree."""

UNBRACKETED = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth log ln lg exp deg arccot arcsec arccsc "
    "log2 cis det tr arg sech csch arcsinh arccosh arctanh sign erf".split()
)
"""Functions whose argument needs no brackets. Such an argument ends before the next of these functions."""

FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"})
r"""Commands that write a fraction. `normalize.clean` replaces all of them by `\frac`."""

GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi "
    "omicron rho varrho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi "
    "Sigma Upsilon Phi Psi Omega ell hbar aleph nabla partial varsigma wp".split()
)

OPERATORS = {
    "cdot": "*", "times": "*", "ast": "*", "star": "*", "div": "/", "pm": "±", "mp": "∓", "le": "<=",
    "leq": "<=", "leqslant": "<=", "leqq": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "geqq": ">=",
    "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "not=": "!=", "approx": "≈", "simeq": "≈", "sim": "~",
    "cong": "≅", "equiv": "≡", "in": "∈", "notin": "∉", "subset": "⊂", "subseteq": "⊆", "cup": "∪",
    "bigcup": "∪", "cap": "∩", "setminus": "∖", "backslash": "∖", "smallsetminus": "∖", "land": "and",
    "wedge": "and", "lor": "or", "vee": "or", "to": "→", "rightarrow": "→", "Rightarrow": "⇒",
    "implies": "⇒", "mapsto": "↦", "mid": "|", "vert": "|", "lvert": "l|", "rvert": "r|", "Vert": "‖",
    "|": "‖", "lVert": "‖", "rVert": "‖", "lbrace": "\\{", "rbrace": "\\}", "{": "\\{", "}": "\\}",
    "lbrack": "[", "rbrack": "]", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
    "rceil": "⌉", "%": "%", "circ": "∘", "degree": "°", "deg": "°", "textdegree": "°", "colon": ":",
    "prime": "'", "&": "&", "over": "over", "choose": "choose", "atop": "over", "permille": "‰",
    "perp": "⊥", "parallel": "∥", "bmod": "mod", "pmod": "pmod", "lparen": "(", "rparen": ")",
}  # fmt: skip
"""Command, without backslash -> the operator that it means."""

NAMES = {"emptyset": "emptyset", "varnothing": "emptyset", "ldots": "ellipsis", "dots": "ellipsis",
         "cdots": "ellipsis", "dotsc": "ellipsis", "dotsb": "ellipsis", "reals": "reals", "R": "reals",
         "Reals": "reals", "vdots": "ellipsis"}  # fmt: skip
"""Command that stands for an object, without backslash -> the kind of its node."""

BLACKBOARD = {"R": "reals", "Z": "integers", "N": "naturals", "Q": "rationals", "C": "complexes"}
r"""Letter in `\mathbb` -> the kind of its node."""

GEOMETRY_SIGNS = frozenset({"angle", "measuredangle", "triangle", "square", "Box", "overrightarrow"})
"""Commands before the name of an angle or figure. They are ignored: the name alone says which is meant."""

STYLES = frozenset(
    "text mbox textbf textit textrm textnormal textsf texttt textsc textup emph hbox mathrm "
    "operatorname mathbf mathit mathsf mathtt mathcal mathscr mathfrak boldsymbol underline bold pmb "
    "fbox boxed cancel mathord operatorname* ensuremath mathop textmd fcolorbox tag".split()
)
"""Commands that set their argument, words or symbols, in another style."""

ACCENTS = frozenset(
    "overline bar vec hat widehat tilde widetilde dot ddot overleftrightarrow overrightarrow overarc "
    "wideparen underbar".split()
)
"""Commands that put a mark over or under a name; the marked name is another variable."""

WORDS = {
    "sqrt": "sqrt", "union": "∪", "intersect": "∩", "intersection": "∩", "and": "and", "or": "or", "to": "to",
    "plus": "+", "minus": "-", "times": "*", "divided": None, "U": "∪", "pm": "±", "mod": "mod",
    "cup": "∪", "cap": "∩",
}  # fmt: skip
"""Word -> the operator that it means; None if the word itself is the operator."""

# binding powers, from the weakest to the strongest
RELATION, RATIO, UNION, SUM, PRODUCT, SIGN, POWER = 10, 15, 20, 30, 40, 45, 60

RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "≈", "≡", "∈", "⊆", "⊂", "≅", "⊥", "∥"})
SEPARATORS = frozenset({",", ";", "and", "or", "&"})
ENDS = RELATIONS | SEPARATORS | {")", "]", "}", "\\}", "⟩", "⌋", "⌉", "r|"}
"""Operators that extend no expression, so that it ends before them."""
SET_OPERATIONS = {"∪": "union", "∩": "intersection", "∖": "setminus"}
STARTS = frozenset({"(", "[", "{", "\\{", "⌊", "⌈", "l|", "⟨", "‖"})
"""Operators that may begin the second factor of a product without a sign."""
POSTFIX = frozenset({"!", "%", "‰", "°", "'"})
"""Operators that follow their operand."""
