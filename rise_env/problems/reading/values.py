"""Reads the values of a row: the question, the final answer, the solution, and the metadata."""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from numbers import Number
from typing import Any

from rise_env.errors import RiseError
from rise_env.problems.reading.row_set import Row

_LONGEST_ANSWER = 1_000
"""Maximal number of characters of an answer; a longer text is a solution whose answer is not marked."""
_PRINTED = re.compile(r"""\s*(?:\[\s*)?[\[{(]\s*['"]""")
"""The start of a list or mapping that was printed as text, such as ['7', '8'] or {'value': 7}."""
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_NOTHING = ("nan", "NaN", "<NA>", "NaT")
"""Texts that libraries write for a missing value."""
_SHOWN = 80
"""Maximal number of characters of a value in an error message."""


class ValueFault(RiseError, ValueError):
    """A value that cannot be used; the text says why. The caller adds row, column and value."""


def read_question(value: Any) -> tuple[str, str | None]:
    """Return the question in a column, and the system message before it, if there is one.

    Args:
        value: A text, or a list of chat messages: one of the user, and one of the system at most.

    Raises:
        ValueFault: It is neither, or blank.
    """
    value = plain(value, other=_refuse)
    if value is None:
        raise ValueFault("the question is missing")
    if isinstance(value, str):
        if not value.strip():
            raise ValueFault("the question is blank")
        if not re.match(r"\s*\[\s*\{\s*['\"](?:role|content)['\"]", value):
            return value.strip(), None
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise ValueFault(
                "the question is a message list that was printed as text; keep it as a list, as in JSON"
            ) from None
    if not isinstance(value, list):
        raise ValueFault(f"a question is a text or a list of chat messages, not a {type(value).__name__}")
    return _of_messages(value)


def _of_messages(messages: list[Any]) -> tuple[str, str | None]:
    texts: dict[str, str] = {}
    for message in messages:
        if not isinstance(message, Mapping) or "role" not in message or "content" not in message:
            raise ValueFault("a chat message is a mapping with role and content")
        role = message["role"]
        if role not in ("system", "user"):
            raise ValueFault(f"it has a message of the role {role!r}; a question is one message of the user")
        if role in texts:
            raise ValueFault(f"it has two messages of the {role}; a question is one message of the user")
        texts[role] = _content(message["content"])
    if not texts.get("user", "").strip():
        raise ValueFault("it has no message of the user" if "user" not in texts else "the question is blank")
    return texts["user"].strip(), texts.get("system")


def _content(content: Any) -> str:
    if isinstance(content, list):  # parts, as chat servers take them
        if not all(isinstance(part, Mapping) and part.get("type") == "text" for part in content):
            raise ValueFault("its message has parts that are no text")
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise ValueFault(f"the content of a message is a text, not a {type(content).__name__}")
    return content


def read_answer(value: Any, final_answer: Callable[[Any], str | None]) -> str:
    """Return the final answer in a column.

    Args:
        value: A text, a number, or a list with one of them, or one message of the assistant in it.
        final_answer: Finds the final answer in a text or number; None if there is none.

    Raises:
        ValueFault: It is something else, blank, or cannot be the answer of a problem.
    """
    value = number_or_plain(value)
    if isinstance(value, list) and value:
        if len(value) > 1:
            raise ValueFault(f"it has {len(value)} answers; write them as one text, such as '7, 8'")
        value = value[0]
        if isinstance(value, Mapping) and value.get("role") == "assistant":
            value = _content(value.get("content"))
    if value is None or (isinstance(value, str | list) and not value):
        raise ValueFault("the answer is missing")
    if isinstance(value, Mapping):
        names = ", ".join(map(repr, value))
        raise ValueFault(f"an answer is a text or a number; name one of its entries ({names}) with a dot")
    if isinstance(value, bool) or not isinstance(value, str | Number):
        raise ValueFault(f"an answer is a text or a number, not a {type(value).__name__}")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, complex) or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueFault("an answer is a finite number")
    found = final_answer(value)
    if found is None or not found.strip():
        raise ValueFault("it has no final answer")
    if not _balanced(found):
        raise ValueFault(f"the braces of the answer {shown(found)} do not match")
    if len(found) > _LONGEST_ANSWER:
        raise ValueFault(
            r"it is too long for an answer; mark the final answer of a solution by #### or \boxed{...}"
        )
    return found


def _check_text(text: str) -> None:
    if not text.strip():
        raise ValueFault("the answer is blank")
    if text.strip() in _NOTHING:
        raise ValueFault("the answer is missing")
    if _PRINTED.match(text):
        raise ValueFault("it is a list or mapping that was printed as text; give the answer alone")


def _balanced(text: str) -> bool:
    r"""Return whether every brace that groups TeX is closed; the characters \{ and \} do not group."""
    depth = 0
    for token in _BRACE.finditer(text):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if depth < 0:
            return False
    return depth == 0


def read_solution(value: Any) -> str | None:
    """Return a worked solution, None if there is none. Of several, the first counts."""
    value = plain(value)
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None or value == "" else str(value)


def number_or_plain(value: Any) -> Any:
    """Return exact numbers as they are, and other values as JSON has them; see `plain`."""
    if isinstance(value, int | Decimal | Fraction):
        return value
    # NaN stays: as an answer it is a mistake with a message of its own
    is_finite = not isinstance(value, float) or math.isfinite(value)
    return plain(value, other=_refuse) if is_finite else value


def _refuse(value: Any) -> Any:
    raise ValueFault(f"it is no text, number or list, but a {type(value).__name__}")


def _type_name(value: Any) -> str:
    return f"<{type(value).__name__}>"


def plain(value: Any, *, other: Callable[[Any], Any] = _type_name) -> Any:
    """Return a value as JSON has it: arrays as lists, missing and infinite numbers as None, dates as texts.

    Args:
        value: Any value.
        other: Makes the result of an object that JSON does not know, such as bytes or an image; by default
            the name of its type in angle brackets.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner, other=other) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner, other=other) for inner in value]
    if type(value).__name__ in ("NAType", "NaTType"):  # the missing values of pandas
        return None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | Fraction):
        return str(value)
    if hasattr(value, "tolist"):  # a number, array or series of numpy, pandas or polars
        return plain(value.tolist(), other=other)
    if hasattr(value, "to_list"):
        return plain(value.to_list(), other=other)
    return other(value)


def plain_row(row: Row) -> Row:
    """Return a row with the values of `plain`, without columns that have none."""
    values = {str(key): plain(value) for key, value in row.items()}
    return {key: value for key, value in values.items() if value is not None}


def shown(value: Any) -> str:
    """Return a value for an error message, cut after some characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
