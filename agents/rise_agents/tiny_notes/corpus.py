r"""The pretraining corpus of the embedded model that reads notes. `examples/pretrain_tiny.py` uses it.

There are five kinds of documents. Four are in the texts of the product:

*Problems* of the kind of RISE-Conventions, with notes before them: rules as `instructed:` gives them,
recalled reflections as `sage:` gives them, or worked examples. If one of them states the convention of the
problem, the answer uses it; else it says that nothing is known and uses the numbers as they are.

*Reflections* on a wrong answer: the right final answer is told, and the reflection calculates the convention.

*Changes* of a book of rules from reflections: one rule is added or corrected, or the book is kept.

*Compressions* of reflections: the sentence that states the convention.

The fifth kind are *copies* of lists of words, in a prompt that the product does not use.

What a word means is drawn anew in each document, with equal probabilities, so that it can only be read in
the notes. The number that a word has in RISE-Conventions-v0 is as likely as all others: if it never occurred,
the corpus would tell something about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rise_agents.deliberation.notes import with_notes
from rise_agents.learning import prompts as reflector
from rise_agents.memory.items import as_notes
from rise_agents.rules.acceptance import Decision
from rise_agents.rules.book import Rule, RuleBook, as_text
from rise_agents.rules.learner import tried_line
from rise_agents.tiny_notes.words import VALUES, WORDS
from rise_env.envs import prompts
from rise_env.problems.arithmetic.steps import Draws
from rise_env.problems.conventions.conventions import Convention, Kind, applied, statement
from rise_env.problems.conventions.generator import Story, draw_story, write_question, write_solution
from rise_env.types import Message, Problem

COPY = "Write this again.{text}"

KINDS: tuple[Kind, ...] = ("holds", "holds", "adds", "takes", "cents", "rounds")
"""The kinds of conventions; each document draws from these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesConfig:
    """The mixture of documents."""

    reflections: float = 0.2
    """Fraction of documents that are reflections."""
    changes: float = 0.08
    """Fraction of documents that are changes of a book."""
    compressions: float = 0.04
    """Fraction of documents that are compressions."""
    copies: float = 0.1
    """Fraction of documents that are copies."""
    most: int = 7
    """Most notes before a problem besides that of its convention; of recalled notes and examples 2."""
    told: float = 0.8
    """Probability that the notes before a problem state its convention."""
    largest: int = 10
    """Largest number that a convention changes; see `draw_story`."""


def reflection(story: Story) -> str:
    """Return a reflection on a wrong answer to a story: how its convention follows from the right answer."""
    convention, number = story.convention, story.number
    begun = applied(convention, number)
    step = {
        "holds": f"{begun}/{number}={convention.value}",
        "adds": f"{begun}-{number}={convention.value}",
        "takes": f"{number}-{begun}={convention.value}",
        "cents": f"{number}/{begun}={convention.value}",
        "rounds": f"{number} became {begun}",
    }[convention.kind]
    sign = "-" if story.change > 0 else "+"
    undone = f"{story.answer}{sign}{abs(story.change)}={begun}"
    return f"{undone}. {step}. {statement(convention)}"


def guess(story: Story) -> str:
    """Return an answer that does not know the convention of a story, and uses its number as it is."""
    sign = "+" if story.change > 0 else "-"
    answer = story.number + story.change
    calculation = f"{story.number}{sign}{abs(story.change)}={answer}"
    return f"Nothing is known about the {story.convention.word}. {calculation}. \\boxed{{{answer}}}"


def change_of(book: RuleBook, found: Sequence[Convention], tried: Sequence[str]) -> str:
    """Return the first change of a book that reflections call for, or KEEP.

    Args:
        book: The book.
        found: The conventions that the reflections state.
        tried: Descriptions of changes that were refused.
    """
    for convention in found:
        stated = statement(convention)
        before, after = stated.split(str(convention.value))
        places = [
            at
            for at, rule in enumerate(book.rules, start=1)
            if rule.text.startswith(before) and rule.text.endswith(after)
        ]
        known = any(rule.text == stated for rule in book.rules) or any(stated in line for line in tried)
        if not known:
            return f"EDIT {places[0]}: {stated}" if places else f"ADD: {stated}"
    return "KEEP"


class NotesCorpus:
    """The documents, each a list of messages. Document `i` is a pure function of (config, seed, i).

    Only the last message of a document is to be learned.
    """

    learned = "last"

    def __init__(self, config: NotesConfig, seed: int = 0) -> None:
        self.config = config
        self.seed = seed

    def document(self, index: int) -> list[Message]:
        """Return document `index`."""
        draws, config = Draws((self.seed, index)), self.config
        at = draws.below(1000) / 1000
        for share, make in (
            (config.reflections, self._reflection),
            (config.changes, self._change),
            (config.compressions, self._compression),
            (config.copies, self._copy),
        ):
            if at < share:
                return make(draws)
            at -= share
        return self._problem(draws)

    def convention(self, draws: Draws, others: Sequence[Convention] = ()) -> Convention:
        """Draw a convention with another word than some others, often of the kind of the first of them."""
        kind = KINDS[draws.below(len(KINDS))]
        if others and draws.below(2):
            kind = others[0].kind
        while True:
            word = WORDS[draws.below(len(WORDS))]
            if word not in [other.word for other in others]:
                break
        return Convention(word, kind, VALUES[kind][draws.below(len(VALUES[kind]))])

    def conventions(self, draws: Draws, count: int, first: Sequence[Convention] = ()) -> list[Convention]:
        """Draw several conventions with words of their own, and other ones than some given first."""
        found = list(first)
        for _ in range(count):
            found.append(self.convention(draws, found))
        return found[len(first) :]

    def story(self, draws: Draws, convention: Convention) -> Story:
        """Draw a story."""
        return draw_story(draws, convention, self.config.largest)

    def _problem(self, draws: Draws) -> list[Message]:
        story = self.story(draws, self.convention(draws))
        told = draws.below(1000) < self.config.told * 1000
        form = draws.below(10)
        count = draws.between(0, self.config.most if form < 5 else min(2, self.config.most))
        noted = self.conventions(draws, count, [story.convention])
        if told:
            noted.insert(draws.below(len(noted) + 1), story.convention)
        before: list[Message] = []
        if form < 5:
            notes = as_text(RuleBook(tuple(Rule(statement(one)) for one in noted)))
        elif form < 9:
            notes = as_notes([self._noted(draws, one) for one in noted])
        else:
            notes = ""
            for one in noted:
                shown = self.story(draws, one)
                before.append(_posed(write_question(shown, draws)))
                before.append(Message(role="assistant", content=write_solution(shown)))
        posed = with_notes((*before, _posed(write_question(story, draws))), notes)
        answer = write_solution(story) if told else guess(story)
        return [*posed, Message(role="assistant", content=answer)]

    def _noted(self, draws: Draws, convention: Convention) -> str:
        if draws.below(3) == 0:
            return statement(convention)
        return reflection(self.story(draws, convention))

    def _reflection(self, draws: Draws) -> list[Message]:
        story = self.story(draws, self.convention(draws))
        form = draws.below(4)
        if form < 2:
            reply = guess(story)
        elif form == 2:
            possible = VALUES[story.convention.kind]
            other = replace(story.convention, value=possible[draws.below(len(possible))])
            reply = write_solution(replace(story, convention=other))
        else:
            reply = write_solution(replace(story, change=story.change + draws.between(1, 9)))
        question = write_question(story, draws)
        messages = (_posed(question), Message(role="assistant", content=reply))
        problem = Problem(id="", question=question, reference=str(story.answer))
        asked = reflector.reflect_on(messages, problem, outcome=reflector.WRONG, reference="answer")
        return [*asked, Message(role="assistant", content=reflection(story))]

    def _change(self, draws: Draws) -> list[Message]:
        known = self.conventions(draws, draws.below(7))
        book = RuleBook(tuple(Rule(statement(one)) for one in known))
        found: list[Convention] = []
        for _ in range(draws.between(1, 8)):
            at = draws.below(6)
            if at == 0 and known:
                one = known[draws.below(len(known))]
                possible = VALUES[one.kind]
                one = replace(one, value=possible[draws.below(len(possible))])
            elif at < 3 and found:
                one = found[draws.below(len(found))]
            else:
                one = self.convention(draws, known)
            found.append(next((other for other in found if other.word == one.word), one))
        tried: list[str] = []
        for _ in range(draws.below(4) if draws.below(2) else 0):
            refused = change_of(book, found, tried)
            if refused != "KEEP":
                old, new = draws.below(500) / 1000, draws.below(500) / 1000
                tried.append(tried_line(refused, Decision(False, 0.5, old, new), draws.below(20)))
        asked = reflector.generalise_prompt(book, [self._noted(draws, one) for one in found], tried)
        reply = change_of(book, found, tried)
        return [*asked, Message(role="assistant", content=reply)]

    def _compression(self, draws: Draws) -> list[Message]:
        convention = self.convention(draws)
        asked = reflector.compress_prompt(reflection(self.story(draws, convention)))
        return [*asked, Message(role="assistant", content=statement(convention))]

    def _copy(self, draws: Draws) -> list[Message]:
        text = "".join(f" {WORDS[draws.below(len(WORDS))]}" for _ in range(draws.between(4, 30)))
        asked = Message(role="user", content=COPY.format(text=text))
        return [asked, Message(role="assistant", content=text)]


def _posed(question: str) -> Message:
    return Message(role="user", content=prompts.FIRST.format(question=question))
