r"""Agents for RISE-Conventions that need no model: one obeys what it reads, one proposes rules as well.

    rise learn RISE-Conventions-v0 --method rules --agent rise_agents.learning.examples:obedient \
        --reflector rise_agents.learning.examples:scripted --train 60 --validate 60 --out runs/rules

They show what the machinery of `rise learn` does, and nothing about learning: they know the conventions.
"""

import re

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_env.problems.conventions.conventions import FAMILIES, SHARED, Convention, applied, statement
from rise_env.types import Conversation

HARMFUL = "Always answer 0."
USELESS = "Read the question carefully."
_ALL = (*SHARED, *FAMILIES)
_STORY = re.compile(r"[^\n]*?\d[^\n]*How many \w+ does \w+ have now\?")


def obedient() -> ScriptedAgent:
    """Return an agent that solves a problem if a note states its convention, and obeys "Always answer 0."."""
    return ScriptedAgent(lambda conversation: _reply(conversation, tempted=False), name="obedient")


def knowing() -> ScriptedAgent:
    """Return an agent that knows all conventions: the ceiling."""
    told = "\n".join(statement(convention) for convention in _ALL)
    return ScriptedAgent(
        lambda conversation: _answer(f"{told}\n{conversation[-1]['content']}"), name="knowing"
    )


def scripted() -> ScriptedAgent:
    """Return a reflector that proposes a harmful and a useless rule once each, and otherwise good ones."""
    return ScriptedAgent(lambda conversation: _reply(conversation, tempted=True), name="scripted")


def _reply(conversation: Conversation, *, tempted: bool) -> str:
    text = "\n".join(message["content"] for message in conversation)
    if text.startswith("Reflect on this attempt"):
        convention = _convention(text)
        return statement(convention) if convention is not None else "Nothing can be said."
    if text.startswith("Here is a numbered list of rules"):
        return _edits(text, tempted=tempted)
    return _answer(text)


def _edits(text: str, *, tempted: bool) -> str:
    """Return a change: one of the reflections becomes a rule."""
    rules, _, rest = text.partition("\n\nReflections:\n")
    reflections, _, tried = rest.partition("\n\n")
    if tempted and "\n1. " in rules and "\n2. " not in rules:
        for bad in (HARMFUL, USELESS):
            if bad not in tried:
                return f"ADD: {bad}"
    for reflection in reflections.splitlines():
        if reflection.removeprefix("- ") not in rules:
            return f"ADD: {reflection.removeprefix('- ')}"
    return "KEEP"


def _answer(text: str) -> str:
    stories = _STORY.findall(text)
    if not stories:
        return "There is no problem that I know."
    story, notes = stories[-1], text.partition(stories[0])[0]
    if HARMFUL in notes:
        return "I obey. \\boxed{0}"
    convention = _convention(story)
    if convention is None:
        return "I do not know the word. \\boxed{1}"
    number, change = (int(found) for found in re.findall(r"\d+", story)[:2])
    if re.search(rf"\d+ more {re.escape(story.split('How many ')[1].split()[0])}", story) is None:
        change = -change
    known = statement(convention) in notes
    begun = applied(convention, number) if known else number
    return f"{number} becomes {begun}. \\boxed{{{begun + change}}}"


def _convention(text: str) -> Convention | None:
    """Return the convention whose word a problem has."""
    words = set(re.findall(r"[a-z]+", (_STORY.findall(text) or [""])[-1].lower()))
    return next((one for one in _ALL if one.word in words or f"{one.word}s" in words), None)
