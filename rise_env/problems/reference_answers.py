"""Functions that extract the final answer alone from a field of a data set.

Each returns None if the field holds no answer. Entries of the catalog name them as `reference`.
"""

from typing import Any

from rise_env.checkers.extraction.boxed import last_boxed


def plain(value: Any) -> str | None:
    """Return a text as it is, and a number in its shortest exact spelling.

    >>> plain(145.0), plain(0.25), plain(" 1/2 ")
    ('145', '0.25', '1/2')
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).strip() or None


def after_hashes(value: Any) -> str | None:
    """Return the text after the last "####", as GSM8K marks its answers.

    >>> after_hashes("9 * 2 = 18 #### 18")
    '18'
    """
    _, marker, answer = str(value).rpartition("####")
    return (answer.strip() or None) if marker else None


def boxed(value: Any) -> str | None:
    r"""Return the content of the last box, as MATH marks its answers.

    >>> boxed(r"so $\boxed{\frac{1}{2}}$.")
    '\\frac{1}{2}'
    """
    return last_boxed(str(value))


def boxed_or_plain(value: Any) -> str | None:
    """Return the content of the last box, or the whole text where it has no box."""
    text = str(value)
    return last_boxed(text) if "boxed" in text else plain(value)


def before_unit(value: Any) -> str | None:
    """Return the text before a unit in parentheses, as ASDiv writes its answers.

    >>> before_unit("9 (apples)"), before_unit("Mrs. Hilt")
    ('9', 'Mrs. Hilt')
    """
    return str(value).split(" (", 1)[0].strip() or None


def only_one(value: Any) -> str | None:
    r"""Return the only entry of a list, without dollar signs, as OlympiadBench writes its answers.

    >>> only_one([r"$\frac{1}{2}$"])
    '\\frac{1}{2}'
    """
    if isinstance(value, str):
        value = [value]
    if not value or len(value) != 1:
        return None
    return str(value[0]).strip().removeprefix("$").removesuffix("$").strip() or None
