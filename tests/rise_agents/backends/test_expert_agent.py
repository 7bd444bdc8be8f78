from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.types import ProblemAwareAgent, SamplingConfig
from rise_env import NumericChecker
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Problem
from tests.rise_agents.fake_agents import sums


def test_it_solves_every_embedded_problem() -> None:
    problems = [ArithmeticProblems(split="train")[i] for i in range(50)]
    agent = ExpertAgent()
    agent.set_problems(problems)
    for problem in problems:
        [reply] = agent.act([({"role": "user", "content": f"So: {problem.question}"},)], SamplingConfig())
        assert NumericChecker().check(reply.text, problem.reference).correct


def test_it_finds_the_question_behind_worked_examples() -> None:
    env = sums(few_shot=2, system_prompt="Be brief.")
    conversation, _ = env.reset(options={"index": 21})
    agent = ExpertAgent()
    agent.set_problems([env.problem])
    assert agent.act([conversation], SamplingConfig())[0].text == "21+21=42 The final answer is \\boxed{42}."


def test_the_longest_known_question_is_answered() -> None:
    agent = ExpertAgent({"What is 1 + 1": "two", "What is 1 + 1 + 1": "three"})
    for question, answer in (("What is 1 + 1", "two"), ("What is 1 + 1 + 1", "three")):
        assert agent.act([({"role": "user", "content": question},)], SamplingConfig())[0].text == answer


def test_an_unknown_question_is_a_failed_reply() -> None:
    [reply] = ExpertAgent().act([({"role": "user", "content": "Why?"},)], SamplingConfig())
    assert reply.finish == "error"


def test_set_problems_replaces_earlier_problems_and_keeps_the_solutions_of_the_constructor() -> None:
    agent = ExpertAgent({"a?": "A"})
    agent.set_problems([Problem(id="b", question="b?", reference="1", solution="B \\boxed{1}")])
    agent.set_problems([Problem(id="c", question="c?", reference="2")])
    replies = agent.act([({"role": "user", "content": q},) for q in ("a?", "b?", "c?")], SamplingConfig())
    assert [reply.text for reply in replies if reply.finish == "stop"] == [
        "A",
        "The final answer is \\boxed{2}.",
    ]
    assert isinstance(agent, ProblemAwareAgent)
