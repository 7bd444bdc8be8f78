r"""The command `rise imagine`: lets an agent write new problems for a set, with its own majority as answers.

    rise imagine RISE-GSM8K-v0 --agent vllm:PATH --count 1000 --out runs/imagined.jsonl
    rise collect RISE-Custom-v0 --env_settings.dataset runs/imagined.jsonl --agent mcts:vllm:PATH \
        --out runs/searched

Nobody has checked these answers: every row has `pseudo: true` and the share of answers that agree. The
command reads no reference answer. It drops questions that repeat one of any split of the set, the test
problems included. The same command continues a file, also one that was cut off.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rise_env
from rise_agents.imagination.imagine import ImagineSettings, Tally, imagine, read_rows
from rise_agents.imagination.questions import KINDS, Kind
from rise_agents.registry import check_agent, load_agent
from rise_agents.rollouts.cleanup import close_all
from rise_agents.types import ProblemAwareAgent, SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.problems.loading import find_set
from rise_env.utils.config_parser import parse
from rise_env.utils.suggestions import validate_choice

_MOST_KNOWN = 100_000
"""Questions of a split that new ones are compared with; generated splits may have millions."""


@dataclass(frozen=True, kw_only=True)
class ImagineConfig:
    """The settings of `rise imagine`.

    Raises:
        ConfigError: A value is out of range.
    """

    env: str
    """Environment id of the problems that serve as examples, for example RISE-GSM8K-v0."""
    agent: str
    """The agent that writes and answers the problems; see `rise collect`."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings."""
    out: str
    """The file, for RISE-Custom-v0; one that is there is continued."""
    count: int = 1000
    """Number of problems in the file."""
    kinds: tuple[Kind, ...] = ("similar",)
    """similar: a problem like some others. rephrase: one of the set in other words. With both, they take
    turns."""
    examples: int = 3
    """Problems that the agent sees for the kind similar."""
    draws: int = 8
    """Answers per problem; the most frequent one becomes the reference."""
    agreement: float = 0.5
    """Share of these answers that must agree, else the problem is dropped."""
    batch: int = 32
    """Problems that are asked for at a time."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    """How problems and answers are sampled."""
    seed: int = 0
    """Seed of all choices and samples."""
    env_settings: Mapping[str, Any] = field(default_factory=lambda: {"split": "train"})
    """Arguments of the environment."""

    def __post_init__(self) -> None:
        for name in ("count", "examples", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.draws < 2:
            raise ConfigError(f"draws must be at least 2, got {self.draws}: one answer agrees with itself")
        if not 0 < self.agreement <= 1:
            raise ConfigError(f"agreement must be above 0 and at most 1, got {self.agreement}")
        if not self.kinds:
            raise ConfigError(f"kinds is empty: name one of {', '.join(KINDS)}")
        for kind in self.kinds:
            validate_choice(kind, KINDS, "kind")


def main(argv: Sequence[str]) -> int:
    """Run `rise imagine`; return 1 if fewer problems were kept than wanted."""
    config = parse(ImagineConfig, argv, prog="rise imagine", positional="env")
    path = Path(config.out)
    if path.is_dir():
        raise ConfigError(f"out is the folder {path}: name a file, such as {path / 'imagined.jsonl'}")
    problems = math_env_of(rise_env.make(config.env, **dict(config.env_settings))).problems
    read_rows(path)  # refuses another file before anything is loaded
    known = _known_questions(config, problems)
    check_agent(config.agent, config.agent_settings, here=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    agent = load_agent(config.agent, **config.agent_settings)
    try:
        if isinstance(agent, ProblemAwareAgent):
            raise ConfigError(f"{config.agent} must be told the problems, and there are none yet")
        settings = ImagineSettings(
            count=config.count,
            kinds=config.kinds,
            examples=config.examples,
            draws=config.draws,
            agreement=config.agreement,
            batch=config.batch,
            seed=config.seed,
        )
        tally = imagine(agent, problems, known, path, settings, config.sampling, _show)
    finally:
        close_all(agent)
    return _close(config, path, tally)


def _show(kept: int, tally: Tally) -> None:
    print(
        f"{kept} problems; dropped: {tally.repeats} that repeat another one, {tally.unusable} that ask "
        f"nothing or have no number, {tally.disagreed} without agreement, {tally.failed} without a reply",
        flush=True,
    )


def _close(config: ImagineConfig, path: Path, tally: Tally) -> int:
    found = len(read_rows(path))
    print(f"{found} of {config.count} problems in {path}, with the majority's answers, which nobody checked")
    if found >= config.count:
        return 0
    print("too many were dropped: use another agent, fewer draws that must agree, or another kind")
    return 1


def _known_questions(config: ImagineConfig, problems: Sequence[Any]) -> list[str]:
    """Return the questions of the examples, and of all splits of their set that are on this machine."""
    loader = find_set(config.env)
    given = {name: value for name, value in config.env_settings.items() if name in loader.settings}
    found = [problems[place].question for place in range(min(len(problems), _MOST_KNOWN))]
    takes_split = "split" in inspect.signature(loader.load).parameters
    for split in loader.sizes if takes_split else ():
        if split == given.get("split"):
            continue
        try:
            other = loader.load(**{**given, "split": split})
        except DataNotFoundError as error:
            raise DataNotFoundError(
                f"new problems must not repeat those of the split {split}, which cannot be read: {error}"
            ) from error
        found += [other[place].question for place in range(min(len(other), _MOST_KNOWN))]
    return found
