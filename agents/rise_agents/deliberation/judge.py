r"""A checker that asks an agent, for answers that only a model can compare, such as proofs and texts.

The agent is asked twice about each reply: once with the reference first, and once with the reply first,
because models favour what they read first or last. A reply is right only if both verdicts are yes. It is no
default of any problem set: measure its agreement with labelled cases first, with `rise checkers bench
--judge AGENT`.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property

from rise_agents.deliberation.script import Ask
from rise_agents.evaluation.verifier_questions import read_rating
from rise_agents.registry import check_agent, load_agent
from rise_agents.rollouts.fault_isolation import FaultIsolator
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.checkers.base import CheckItem
from rise_env.errors import AgentError
from rise_env.types import CheckResult, Conversation, Verdict
from rise_env.utils.seeding import derive

METHOD = "judge"
"""`CheckResult.method` of its verdicts."""

QUESTION = (
    "Do these two solutions of a problem come to the same result? Solutions may differ in their words and "
    "steps. Say why in one sentence, and finish with \\boxed{{yes}} or \\boxed{{no}}.{problem}\n\n"
    "First solution:\n{first}\n\nSecond solution:\n{second}"
)

KEPT = 10_000
"""Number of results that are remembered until `check` asks for them."""


class JudgeChecker:
    """A checker that asks an agent. A rollout asks for all episodes at once; `check` asks for one reply.

    Args:
        agent: The agent, which whoever made it closes; or the name of one, as in `--agent`, which is loaded
            when it is first asked and kept until the process ends.
        sampling: How its verdicts are sampled; by default greedily.

    Raises:
        ConfigError: There is no such agent.
    """

    def __init__(self, agent: Agent | str, sampling: SamplingConfig | None = None) -> None:
        if isinstance(agent, str):
            check_agent(agent, {}, here=False)
        self._agent = agent
        self.sampling = sampling or SamplingConfig(temperature=0.0, max_new_tokens=500)
        self._isolator = FaultIsolator()
        self._results: dict[CheckItem, CheckResult] = {}

    @cached_property
    def agent(self) -> Agent:
        """The agent that is asked."""
        return load_agent(self._agent) if isinstance(self._agent, str) else self._agent

    def __deepcopy__(self, memo: object) -> "JudgeChecker":
        """Return itself: Gymnasium copies the arguments of environments, and an agent cannot be copied."""
        return self

    def asks(self, item: CheckItem) -> list[Ask]:
        """Return the two requests about a reply; their seeds depend on the texts only."""
        texts = "\0".join((item.question or "", item.reference, item.reply))
        seed = int(hashlib.sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()[:15], 16)
        orders = ((item.reference, item.reply), (item.reply, item.reference))
        return [
            Ask(self.agent, _conversation(item.question, first, second), derive(seed, number), self.sampling)
            for number, (first, second) in enumerate(orders)
        ]

    def result(self, replies: Sequence[Reply]) -> CheckResult:
        """Return the verdict of the two replies to `asks`.

        Raises:
            AgentError: One of them failed.
        """
        failed = next((reply for reply in replies if reply.finish == "error"), None)
        if failed is not None:
            raise AgentError(f"the judge {self.agent.name} gave no verdict: {failed.text}")
        ratings = [read_rating(reply.text) for reply in replies]
        reason = "\n\n".join(reply.text for reply in replies)
        if None in ratings:
            return CheckResult(Verdict.UNREADABLE, method=METHOD, reason=reason)
        yes = [rating is not None and rating > 0.5 for rating in ratings]
        if yes[0] != yes[1]:
            return CheckResult(Verdict.UNREADABLE, method=f"{METHOD}: depends on the order", reason=reason)
        return CheckResult(Verdict.CORRECT if yes[0] else Verdict.WRONG, method=METHOD, reason=reason)

    def remember(self, item: CheckItem, result: CheckResult) -> None:
        """Keep a result, so that `check` finds it."""
        while len(self._results) >= KEPT:
            del self._results[next(iter(self._results))]
        self._results[item] = result

    def knows(self, item: CheckItem) -> bool:
        """Return whether the result of a reply is remembered."""
        return item in self._results

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare a reply with the reference; see `Checker.check`.

        Raises:
            AgentError: The agent gave no verdict.
        """
        [result] = self.check_many([CheckItem(reply, reference, question)])
        return result

    def check_many(self, items: Sequence[CheckItem]) -> list[CheckResult]:
        """Return the result of every item, in order; those that are not remembered are asked in one batch.

        Raises:
            AgentError: The agent gave no verdict.
        """
        new = [item for item in dict.fromkeys(items) if item not in self._results]
        asks = [ask for item in new for ask in self.asks(item)]
        found = dict(self._results)
        if asks:
            replies = self._isolator.ask(
                self.agent, [ask.conversation for ask in asks], self.sampling, [ask.seed for ask in asks]
            )
            for place, item in enumerate(new):
                found[item] = self.result(replies[2 * place : 2 * place + 2])
                self.remember(item, found[item])
        return [found[item] for item in items]


def _conversation(question: str | None, first: str, second: str) -> Conversation:
    problem = "" if question is None else f"\n\nProblem:\n{question}"
    return ({"role": "user", "content": QUESTION.format(problem=problem, first=first, second=second)},)
