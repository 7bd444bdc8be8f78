"""The committed results: their files, commands, and the code that can change them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rise_benchmarks.performance import figures
from rise_benchmarks.performance.figures import Figure

_SPEED = "benchmarks/rise_benchmarks/speed"
_GENERATION = ("agents/rise_agents/generation", "agents/rise_agents/backends", "agents/rise_agents/rollouts")
_FITS = ("trainers/rise_trainers/fitting", "trainers/rise_trainers/data", "trainers/rise_trainers/loss")
_LEARNING = ("rise_env", "agents/rise_agents", *_FITS, "trainers/rise_trainers/loop")

_LEARNED = (
    "rise_env/problems/conventions",
    "agents/rise_agents/learning",
    "agents/rise_agents/memory",
    "agents/rise_agents/rules",
    "agents/rise_agents/tiny_notes",
    *_GENERATION,
    "benchmarks/rise_benchmarks/learning",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One committed result."""

    file: str
    """The file with the numbers, in benchmarks/results."""
    title: str
    command: str
    code: Sequence[str]
    """The files and folders that can change the numbers."""
    figures: Callable[[Any], list[Figure]] | None = None
    """Makes the rows of the page from the content of the file; None where its tables are read in the file."""
    with_it: Sequence[str] = ()
    """Further files and folders that the command, or a person, wrote from the same measurement."""
    by_hand: bool = False
    """Whether a person writes the file, over several commits."""


RESULTS = (
    Result(
        file="env_speed.json",
        title="Environments beside other libraries",
        command="make bench-env PEERS='PYTHON ...'",
        code=("rise_env/envs", "rise_env/checkers", "rise_env/problems", f"{_SPEED}/env.py"),
        figures=figures.env_speed,
        with_it=("env_profile.md",),
    ),
    Result(
        file="env_speed_quiet.json",
        title="Environments on an idle machine",
        command="make bench-env",
        code=("rise_env/envs", "rise_env/checkers", "rise_env/problems", f"{_SPEED}/env.py"),
        figures=figures.env_speed,
    ),
    Result(
        file="checker_speed.json",
        title="Speed of the answer checker",
        command="make bench-checker",
        code=("rise_env/checkers", f"{_SPEED}/checker.py"),
        figures=figures.checker_speed,
    ),
    Result(
        file="checker.json",
        title="Correctness of the answer checker",
        command="rise checkers bench FILE ... --mutants 2000 --output benchmarks/results/checker",
        code=("rise_env/checkers", "benchmarks/rise_benchmarks/checkers"),
        figures=figures.checker_scores,
        with_it=("checker.md",),
    ),
    Result(
        file="rollout_speed.json",
        title="Rollouts with transformers",
        command="make bench-rollout",
        code=(*_GENERATION, f"{_SPEED}/rollout.py"),
        figures=figures.rollout_speed,
    ),
    Result(
        file="rollout_speed_vllm.json",
        title="Rollouts with vLLM",
        command="make bench-rollout",
        code=(*_GENERATION, f"{_SPEED}/rollout.py"),
        figures=figures.rollout_speed,
    ),
    Result(
        file="search_speed.json",
        title="Tree searches",
        command="make bench-rollout",
        code=(*_GENERATION, "agents/rise_agents/mcts", "benchmarks/rise_benchmarks/search"),
        figures=figures.search_speed,
    ),
    Result(
        file="store_speed.json",
        title="Stores of trajectories",
        command="make bench-store",
        code=("rise_env/trajectories", "agents/rise_agents/rollouts", f"{_SPEED}/store.py"),
        figures=figures.store_speed,
    ),
    Result(
        file="fit_speed.json",
        title="Fits",
        command="make bench-fit",
        code=(*_FITS, f"{_SPEED}/fit.py", f"{_SPEED}/fit_contestants.py"),
        figures=figures.fit_speed,
    ),
    Result(
        file="fit_memory.json",
        title="Memory of the loss with a large vocabulary",
        command="make bench-fit",
        code=("trainers/rise_trainers/loss", f"{_SPEED}/fit_memory.py"),
        figures=figures.fit_memory,
    ),
    Result(
        file="equivalence.md",
        title="One gradient for every layout, ZeRO stage and number of ranks",
        command="make equivalence",
        code=("trainers/rise_trainers/loss", "trainers/rise_trainers/data", "trainers/rise_trainers/fitting"),
        figures=figures.gradient_error,
    ),
    Result(
        file="real/report.json",
        title="RISE with a real language model",
        command="rise bench real --recipe smollm2-asdiv",
        code=(*_LEARNING, "benchmarks/rise_benchmarks/real"),
        figures=figures.accuracies,
        with_it=("real",),
    ),
    Result(
        file="embedded/report.json",
        title="RISE with the embedded model",
        command="rise bench embedded --recipe examples/quickstart.yaml",
        code=_LEARNING,
        figures=figures.accuracies,
        with_it=("embedded",),
    ),
    Result(
        file="embedded-search/report.json",
        title="Search with the embedded model at equal tokens",
        command="rise bench embedded-search --recipe examples/quickstart.yaml --limit 100",
        code=("agents/rise_agents/mcts", *_GENERATION, "benchmarks/rise_benchmarks/search"),
        figures=figures.accuracies,
        with_it=("embedded-search",),
    ),
    Result(
        file="alphallm/report.json",
        title="AlphaLLM's loop with the embedded model",
        command="rise bench alphallm --recipe examples/quickstart.yaml --limit 120 --seeds 0",
        code=("benchmarks/rise_benchmarks/search", *_LEARNING),
        figures=figures.accuracies,
        with_it=("alphallm",),
    ),
    Result(
        file="conventions/README.md",
        title="Rules that the embedded model with notes learns",
        command="rise bench conventions --agent tiny-notes --limit 100",
        code=_LEARNED,
        with_it=("conventions",),
        by_hand=True,
    ),
    Result(
        file="memory/README.md",
        title="Memories that the embedded model with notes fills",
        command="rise bench memory --agent tiny-notes",
        code=_LEARNED,
        with_it=("memory",),
        by_hand=True,
    ),
    Result(
        file="search_real.md",
        title="Search with a real language model at equal tokens",
        command="rise evaluate and rise report --equal generated, as the file says",
        code=("agents/rise_agents/mcts", *_GENERATION),
        by_hand=True,
    ),
    Result(
        file="ablations/report.json",
        title="Ablations",
        command="rise bench ablations --recipe benchmarks/recipes/ablations.yaml",
        code=_LEARNING,
        figures=figures.accuracies,
        with_it=("ablations",),
    ),
    Result(
        file="ablations-centring/report.json",
        title="Ablations of the rewards and of centring",
        command="rise bench ablations --recipe benchmarks/recipes/ablations.yaml --variant ...",
        code=_LEARNING,
        figures=figures.accuracies,
        with_it=("ablations-centring",),
    ),
    Result(
        file="real_models.md",
        title="Play and fit of real language models agree",
        command="rise collect and rise fit, as the file says",
        code=(*_GENERATION, *_FITS, "trainers/rise_trainers/policies"),
        by_hand=True,
    ),
    Result(
        file="real_speed.md",
        title="Speed of real language models on a CPU",
        command="python -m rise_benchmarks.real.speed, and rise_benchmarks.speed.fit, as the file says",
        code=(*_GENERATION, *_FITS, "benchmarks/rise_benchmarks/real/speed.py"),
        with_it=("real_speed.json",),
        by_hand=True,
    ),
    Result(
        file="memory.md",
        title="What the policies of a memory keep",
        command="python -m rise_benchmarks.learning.streams",
        code=("agents/rise_agents/memory", "benchmarks/rise_benchmarks/learning/streams.py"),
        by_hand=True,
    ),
    Result(
        file="server_bills.md",
        title="Bills of servers under a cost cap",
        command="python -m tests.rise_agents.backends.test_openai_bills",
        code=("agents/rise_agents/client", "agents/rise_agents/backends"),
        by_hand=True,
    ),
    Result(
        file="embedded-recipe.md",
        title="Trials with the embedded model",
        command="rise run, as each row says",
        code=_LEARNING,
        by_hand=True,
    ),
    Result(
        file="real-recipe.md",
        title="Trials with real language models",
        command="rise bench real, as each row says",
        code=_LEARNING,
        by_hand=True,
    ),
)
"""All results. One whose file is missing is left out of the page."""
