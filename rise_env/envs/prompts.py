"""All texts of the environments, except the prompts by name in `presets`; see `Template` for their syntax.

A changed text changes the MDP: then the version of the environment ids must change, too.
"""

import re
from collections.abc import Collection, Mapping

from rise_env.errors import ConfigError
from rise_env.types import Verdict
from rise_env.utils.suggestions import did_you_mean

FIRST = "{question}\nSolve it step by step and put the final answer in \\boxed{{}}."
"""The message that poses the problem."""

BLIND = "Please try again. The question was: {question}"
"""Blind feedback, after every attempt, right or wrong."""

ORACLE_WRONG = "That is not right. Please try again. The question was: {question}"
"""Oracle feedback after an attempt that is not right."""

ORACLE_RIGHT = "That is right. Please solve it once more, in another way. The question was: {question}"
"""Oracle feedback after a right attempt, if the episode continues."""

RESULTS: Mapping[Verdict, str] = {
    Verdict.WRONG: "That is not right.",
    Verdict.NO_ANSWER: "No final answer was found: put it in \\boxed{{}}.",
    Verdict.UNREADABLE: "The final answer cannot be read: put it alone in \\boxed{{}}.",
    Verdict.TIMEOUT: "The answer could not be checked in time, so that it may be right or wrong.",
}
"""Verdict -> oracle feedback after an attempt that is not right, or whose check ran out of time."""

ORACLE: Mapping[Verdict, str] = {
    Verdict.CORRECT: ORACLE_RIGHT,
    **{
        verdict: f"{result} Please try again. The question was: {{question}}"
        for verdict, result in RESULTS.items()
    },
}
"""Oracle feedback by verdict."""

SELF_CHECK = (
    "Check your last answer step by step. If you find a mistake, correct it. "
    "End with your final answer in \\boxed{{}}. The question was: {question}"
)
"""Self-check feedback, after every attempt: asks the model to judge its answer itself."""

HINT: Mapping[Verdict, str] = {
    verdict: f"{result} A correct solution starts like this:\n{{hint}}\n"
    "Please try again. The question was: {question}"
    for verdict, result in RESULTS.items()
}
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

_PIECE = re.compile(r"\{\{|\}\}|\{\}|\{(\w+)\}|[{}]")


class Template:
    r"""A text with fields in braces.

    A literal brace is written twice, as in `str.format`; an empty pair of braces may be written once.

    >>> Template("{question} Put it in \\boxed{{}}.").fill("2 + 2?")
    '2 + 2? Put it in \\boxed{}.'

    Args:
        text: With a field {question}, or without fields.
        known: The fields that the text may have: "question", "answer", "turn" and "reference".
        what: What the text is, for the messages.

    Raises:
        ConfigError: There is no such field, or a single brace.
    """

    __slots__ = ("_pieces", "_simple", "fields", "text")

    def __init__(self, text: str, *, known: Collection[str] = ("question",), what: str = "template") -> None:
        if not isinstance(text, str):
            raise ConfigError(f"a {what} is a text, got {text!r}")
        self.text = text
        pieces = [""]
        end = 0
        for match in _PIECE.finditer(text):
            pieces[-1] += text[end : match.start()]
            end = match.end()
            if match[1] is None:
                if len(match[0]) == 1:
                    raise ConfigError(f"the {what} {text!r} has a single {match[0]!r}: write it twice")
                pieces[-1] += match[0] if match[0] == "{}" else match[0][0]
                continue
            if match[1] not in known:
                near = did_you_mean(match[1], known)
                raise ConfigError(
                    f"the {what} {text!r} has no field {match[0]}; {near} Braces of the text itself are "
                    "written twice"
                )
            pieces += [match[1], ""]
        pieces[-1] += text[end:]
        self.fields = frozenset(pieces[1::2])
        self._simple = self.fields <= {"question"}
        self._pieces = pieces[::2] if self._simple else pieces

    def fill(self, question: str, answer: str = "", turn: int = 0, reference: str = "") -> str:
        """Return the text with these values in place of its fields."""
        if self._simple:
            return question.join(self._pieces)
        values = {"question": question, "answer": answer, "turn": str(turn), "reference": reference}
        filled = self._pieces.copy()
        filled[1::2] = [values[field] for field in filled[1::2]]
        return "".join(filled)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)
