"""Rules for folders and imports: sizes, directions, circles, private folders, heavy libraries."""

import configparser
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.folder_table import purpose
from tests.source_tree import FOLDERS, ROOT, Import, all_imports, files, modules

PACKAGES = list(FOLDERS)  # each may import those before it
MOST_MODULES = 13
MOST_LINES = 400

PRIVATE = (
    "rise_env.checkers.echo",
    "rise_env.checkers.equivalence",
    "rise_env.checkers.extraction",
    "rise_env.checkers.parsing",
    "rise_env.checkers.reading",
    "rise_env.checkers.sandbox",
    "rise_env.cli",
    "rise_agents.cli",
    "rise_agents.client",
    "rise_agents.generation",
    "rise_agents.parallel",
    "rise_trainers.cli",
    "rise_trainers.utils",
)
EXCEPTIONS = {
    ("rise_benchmarks.real.shares", "rise_agents.generation.gumbel_sampling"),
    # picks the references that are no plain numbers, which take the slow path
    ("rise_benchmarks.speed.checker", "rise_env.checkers.reading.read_answer"),
    # spells the copies of a question that the guard has to find
    ("rise_benchmarks.checkers.echoes", "rise_env.checkers.echo.guard"),
    ("rise_benchmarks.checkers.echoes", "rise_env.checkers.echo.question"),
    # generates replies of a fixed length: without stop tokens
    ("rise_benchmarks.speed.cpu_dtype", "rise_agents.generation.generate"),
    # runs commands of `rise` one after another, as the command line does
    ("rise_trainers.loop.player", "rise_env.cli.log_filters"),
    ("rise_trainers.loop.player", "rise_env.cli.main"),
    # starts measurements that end when the benchmark is killed
    ("rise_benchmarks.real.run", "rise_trainers.utils.parent_death"),
}

HEAVY = {
    "torch": (
        "rise_agents.backends.*",
        "rise_agents.engines.*",
        "rise_agents.evaluation.answer_likelihood",
        "rise_agents.generation.*",
        "rise_agents.parallel.gpu_assignment",
        "rise_trainers.cluster.rendezvous",
        "rise_trainers.data.dataset",
        "rise_trainers.checks.*",
        "rise_trainers.fitting.*",
        "rise_trainers.loop.memory",
        "rise_trainers.loss.*",
        "rise_trainers.policies.*",
        "rise_trainers.tracking.tensorboard_runs",
        "rise_benchmarks.speed.*",
        "rise_benchmarks.real.speed",
    ),
    "transformers": (
        "rise_agents.backends.*",
        "rise_agents.chat.loading",
        "rise_agents.evaluation.answer_likelihood",
        "rise_agents.generation.*",
        "rise_trainers.checks.*",
        "rise_trainers.fitting.*",
        "rise_trainers.loop.*",
        "rise_benchmarks.speed.*",
        "rise_benchmarks.real.speed",
        "rise_trainers.policies.*",
    ),
    "vllm": ("rise_agents.*.vllm_*", "rise_benchmarks.speed.*", "rise_benchmarks.real.speed"),
    "ray": ("rise_agents.*.ray_*",),
    "openai": ("rise_agents.backends.*", "rise_agents.client.*"),
    "deepspeed": ("rise_trainers.fitting.*", "rise_trainers.loop.memory", "rise_benchmarks.speed.*"),
    "peft": ("rise_agents.generation.model_loading", "rise_trainers.fitting.models"),
    "accelerate": ("rise_trainers.fitting.*",),
    "wandb": ("rise_trainers.tracking.wandb_*",),
    "matplotlib": ("rise_benchmarks.report.*",),
    "trl": ("rise_benchmarks.speed.*",),
    "torchrl": ("rise_env.adapters.torchrl",),
    "skyrl_gym": ("rise_env.adapters.skyrl",),
    "gem": ("rise_env.adapters.gem",),
    "verifiers": ("rise_env.adapters.verifiers",),
    "openenv": ("rise_env.adapters.openenv",),
    "inspect_ai": ("rise_env.adapters.inspect_ai",),
    "math_verify": ("rise_benchmarks.checkers.*",),
    "datasets": (
        "rise_env.problems.hub",
        "rise_env.problems.sources",
        "rise_env.trajectories.export.arrow_files",
        "rise_benchmarks.speed.*",
    ),
    "huggingface_hub": ("rise_env.problems.hub", "rise_trainers.utils.digests"),
    "pyarrow": ("rise_env.problems.reading.files", "rise_env.trajectories.export.arrow_files"),
    "reasoning_gym": ("rise_env.problems.reasoning_gym", "rise_benchmarks.speed.env"),
}
"""Library of an extra -> the modules that may import it."""
ADAPTERS = "rise_env.adapters"
"""Each module here is for the users of one library, and subclasses its classes. Nothing else imports it."""
TOP_LEVEL = {"torch", "transformers", "deepspeed", "vllm"}
"""These may be imported at the top of a module; the others only inside the function that needs them."""


def package_of(module: str) -> str:
    return module.split(".")[0]


def is_in(module: str, folder: str) -> bool:
    return module == folder or module.startswith(f"{folder}.")


def as_lines(imports: list[Import]) -> list[str]:
    return sorted({f"{found.importer} imports {found.module}" for found in imports})


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_those_below_them(package: str) -> None:
    above = PACKAGES[PACKAGES.index(package) + 1 :]
    wrong = [
        found
        for found in all_imports()
        if package_of(found.importer) == package and package_of(found.module) in above
    ]
    assert not as_lines(wrong)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for found in all_imports():
        if found.module in graph:
            graph[found.importer].add(found.module)
    assert not circles(graph)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components that have more than one module or import themselves."""

    def reachable(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(graph[start])
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += graph[module]
        return seen

    reach = {module: reachable(module) for module in graph}
    found = {
        tuple(sorted(other for other in reach[module] if module in reach[other]))
        for module in graph
        if module in reach[module]
    }
    return sorted(map(list, found))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        pytest.param({"a": {"b"}, "b": {"c"}, "c": set()}, [], id="none"),
        pytest.param({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]], id="two"),
        pytest.param({"a": {"a"}, "b": {"c"}, "c": {"d"}, "d": {"b"}}, [["a"], ["b", "c", "d"]], id="more"),
    ],
)
def test_a_circle_is_found(graph: dict[str, set[str]], expected: list[list[str]]) -> None:
    assert circles(graph) == expected


def test_no_package_imports_a_private_folder_of_another() -> None:
    wrong = [
        found
        for found in all_imports()
        if package_of(found.importer) != package_of(found.module)
        and any(is_in(found.module, folder) for folder in PRIVATE)
        and (found.importer, found.module) not in EXCEPTIONS
    ]
    assert not as_lines(wrong)


def test_a_private_folder_says_so_and_no_other_does() -> None:
    said = [
        name
        for name, path in modules().items()
        if path.name == "__init__.py" and purpose(path).startswith("Private: ")
    ]
    assert sorted(said) == sorted(PRIVATE)


def test_the_exceptions_exist() -> None:
    assert {(found.importer, found.module) for found in all_imports()} >= EXCEPTIONS


@pytest.mark.parametrize("library", HEAVY)
def test_a_heavy_library_is_imported_only_where_it_is_needed(library: str) -> None:
    wrong = [
        found
        for found in all_imports()
        if package_of(found.module) == library
        and not any(fnmatch(found.importer, allowed) for allowed in HEAVY[library])
    ]
    assert not as_lines(wrong)


def test_the_libraries_of_small_extras_are_imported_inside_functions() -> None:
    wrong = [
        found
        for found in all_imports()
        if found.at_top
        and package_of(found.module) in HEAVY.keys() - TOP_LEVEL
        and not is_in(found.importer, ADAPTERS)
    ]
    assert not as_lines(wrong)


def test_the_environments_load_no_heavy_library_on_import() -> None:
    wrong = [
        found
        for found in all_imports()
        if package_of(found.importer) == "rise_env"
        and package_of(found.module) in HEAVY
        and found.at_top
        and not is_in(found.importer, ADAPTERS)
    ]
    assert not as_lines(wrong)


def test_setup_cfg_names_every_package() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    named = config["options"]["packages"].split()
    packages = sorted(name for name, path in modules().items() if path.name == "__init__.py")
    assert sorted(named) == packages


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for package in PACKAGES for path in files(package)}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_a_folder_holds_few_enough_modules_to_read_their_names() -> None:
    sizes = Counter(
        str(path.parent.relative_to(ROOT))
        for package in PACKAGES
        for path in files(package)
        if path.name != "__init__.py"
    )
    assert not {folder: size for folder, size in sizes.items() if size > MOST_MODULES}


def test_no_file_is_too_long_to_be_one_idea() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for package in PACKAGES
        for path in files(package)
    }
    assert not {path: count for path, count in lines.items() if count > MOST_LINES}


def test_tests_mirror_the_folders_of_the_packages() -> None:
    tests = Path(__file__).parent
    mirrored = {folder: tests / package for package, folder in FOLDERS.items()}
    strays = [
        str(path.relative_to(ROOT))
        for folder, mirror in mirrored.items()
        for path in mirror.rglob("test_*.py")
        if not (folder / path.parent.relative_to(mirror)).is_dir()
    ]
    assert not strays


def test_nothing_imports_the_adapters() -> None:
    wrong = [
        found
        for found in all_imports()
        if is_in(found.module, ADAPTERS) and not is_in(found.importer, ADAPTERS)
    ]
    assert not as_lines(wrong)
