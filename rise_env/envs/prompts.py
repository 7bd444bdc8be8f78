"""All texts of the environments. Fields in braces are those of `str.format`.

A changed text changes the MDP: then the version of the environment ids must change, too.
"""

FIRST = "{question}\nSolve it step by step and put the final answer in \\boxed{{}}."
"""The message that poses the problem."""

BLIND = "Please try again. The question was: {question}"
"""Blind feedback, after every attempt, right or wrong."""

ORACLE_WRONG = "That is not right. Please try again. The question was: {question}"
"""Oracle feedback after an attempt that is not right."""

ORACLE_RIGHT = "That is right. The question was: {question}"
"""Oracle feedback after a right attempt, where the episode continues."""

SELF_CHECK = (
    "Check your last answer step by step. If you find a mistake, correct it. "
    "End with your final answer in \\boxed{{}}. The question was: {question}"
)
"""Self-check feedback, after every attempt: asks the model to judge its answer itself."""

HINT = (
    "That is not right. A correct solution starts like this:\n{hint}\n"
    "Please try again. The question was: {question}"
)
"""Hint feedback, after an attempt that is not right: shows the beginning of the worked solution."""

NONE = ""
"""No feedback. The empty message keeps the roles of a chat alternating."""

RELEASED_RISE_INSTRUCTION = (
    "You will be given mathematics problems. Reason step by step and finish with the final answer in "
    "\\boxed{{}}. Here is the first one.\n\n{question}"
)
"""`released_rise=True`: instruction and worked example in one message, as in the released RISE code."""

RELEASED_RISE_FIRST = (
    "Well done, your answer to the previous problem is right. Now solve the next one in the same way, step "
    "by step, with the final answer in \\boxed{{}}.\n\n{question}"
)
"""`released_rise=True`: the first message about the problem itself; it follows a solved example."""

RELEASED_RISE_RETRY = (
    "Unfortunately, that answer is incorrect. Think about where it went wrong, and solve the problem once "
    "more, step by step, with the final answer in \\boxed{{}}.\n\n{question}"
)
"""`released_rise=True`: after every attempt, right or wrong, as in the released code."""

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "A library has 4 shelves with 35 books each. It lends out 48 books and gets 9 of them back. "
        "How many books are in the library now?",
        "At first there are 4 * 35 = 140 books.\n"
        "After lending there are 140 - 48 = 92 books.\n"
        "After the returns there are 92 + 9 = 101 books.\n"
        "The final answer is \\boxed{101}.",
    ),
    (
        "A cyclist rides 18 km in the first hour and two thirds of that in the second. "
        "How many kilometres does she ride in both hours together?",
        "In the second hour she rides 18 * 2 / 3 = 12 km.\n"
        "Together that is 18 + 12 = 30 km.\n"
        "The final answer is \\boxed{30}.",
    ),
    (
        "Solve $3x - 7 = 11$ for $x$.",
        "Adding 7 to both sides gives $3x = 18$.\n"
        "Dividing by 3 gives $x = 6$.\n"
        "The final answer is \\boxed{6}.",
    ),
    (
        "What is $\\frac{1}{2} + \\frac{1}{3}$?",
        "With the common denominator 6 the sum is $\\frac{3}{6} + \\frac{2}{6} = \\frac{5}{6}$.\n"
        "The final answer is \\boxed{\\frac{5}{6}}.",
    ),
)
"""Worked examples for `few_shot`: (question, answer)."""


_MARK = "\0"
"""Stands for the question while a text is split; no template contains it."""


class Template:
    r"""A text with a field {question}, in the syntax of `str.format`.

    >>> Template("{question} Put it in \\boxed{{}}.").fill("2 + 2?")
    '2 + 2? Put it in \\boxed{}.'
    """

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = text.format(question=_MARK).split(_MARK)

    def fill(self, question: str) -> str:
        """Return the text with `question` in place of the field."""
        return question.join(self._parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)
