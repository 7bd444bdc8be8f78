"""What a reflector is asked. The texts are ours: neither MetaReflection nor SAGE has published code."""

import hashlib
from collections.abc import Sequence

from rise_agents.rules.book import RuleBook, numbered
from rise_env.types import Conversation, Message, Problem, Trajectory

REFLECT = (
    "Reflect on this attempt at a problem.\n\n{transcript}\n\n{outcome}{told}Say in at most two sentences "
    "why the attempt went as it did and what should be done with problems of this kind. Do not repeat the "
    "problem, its numbers or its answer."
)
"""Asks about one episode."""

GENERALISE = (
    "Here is a numbered list of rules for problems of one kind, and reflections on attempts that failed "
    "although the rules were known.\n\nRules:\n{rules}\n\nReflections:\n{reflections}\n\n{tried}Improve "
    "the rules. A rule must hold for all problems of this kind and must not name the content of one problem. "
    "Write one change per line and nothing else, in one of these forms:\nADD: text of a new rule\n"
    "EDIT 2: new text of rule 2\nREMOVE 3\nKEEP"
)
"""Asks for edits of a book."""

COMPRESS = (
    "Here is a note on problems of one kind. Write it again in as few words as possible, and keep what helps "
    "with other problems of this kind.\n\n{text}"
)
"""Asks for a shorter form of a reflection."""

WRONG, RIGHT, UNKNOWN = "The attempt is wrong. ", "The attempt is right. ", ""
"""What a reflector is told about an attempt."""

REFERENCES = ("none", "answer", "solution")
"""What a reflector may see of a training problem."""


def texts_digest() -> str:
    """Return a hash of the texts, for records."""
    return hashlib.sha256("\0".join((REFLECT, GENERALISE)).encode()).hexdigest()[:16]


def transcript(messages: Conversation) -> str:
    """Return messages as text: problem, replies, and feedback in between."""
    names = {"system": "System", "user": "User", "assistant": "Attempt"}
    return "\n\n".join(f"{names[message['role']]}: {message['content']}" for message in messages)


def reflect_prompt(episode: Trajectory, *, outcome: str, reference: str) -> Conversation:
    """Return the conversation that asks a reflector about an episode.

    Args:
        episode: The episode, with at least one turn.
        outcome: WRONG, RIGHT or UNKNOWN.
        reference: What the reflector sees of the reference: one of `REFERENCES`.
    """
    last = episode.turns[-1]
    reply: Message = {"role": "assistant", "content": last.action.reply}
    return reflect_on((*last.observation, reply), episode.problem, outcome=outcome, reference=reference)


def reflect_on(messages: Conversation, problem: Problem, *, outcome: str, reference: str) -> Conversation:
    """Return the conversation that asks a reflector about some messages.

    Args:
        messages: The messages of an episode, the last reply included.
        problem: The problem.
        outcome: See `reflect_prompt`.
        reference: As there.
    """
    told = ""
    if reference != "none":
        told = f"The right final answer is {problem.reference}. "
    if reference == "solution" and problem.solution is not None:
        told += f"A right solution is:\n{problem.solution}\n\n"
    text = REFLECT.format(transcript=transcript(messages), outcome=outcome, told=told)
    return ({"role": "user", "content": text},)


def compress_prompt(text: str) -> Conversation:
    """Return the conversation that asks for a shorter form of a reflection."""
    return ({"role": "user", "content": COMPRESS.format(text=text)},)


def generalise_prompt(book: RuleBook, reflections: Sequence[str], tried: Sequence[str]) -> Conversation:
    """Return the conversation that asks a reflector for edits of a book.

    Args:
        book: The book.
        reflections: Reflections on failures with it.
        tried: Descriptions of edits that were refused since the book last changed.
    """
    refused = ""
    if tried:
        refused = "These changes were tried and refused:\n" + "\n".join(tried) + "\n\n"
    text = GENERALISE.format(
        rules=numbered(book) or "(none yet)",
        reflections="\n".join(f"- {' '.join(text.split())}" for text in reflections),
        tried=refused,
    )
    return ({"role": "user", "content": text},)
