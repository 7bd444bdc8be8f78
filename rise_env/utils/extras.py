"""Optional libraries: which extra of setup.cfg installs them, and the error where one is missing."""

from rise_env.errors import MissingDependencyError

EXTRAS = {
    "accelerate": "train",
    "bitsandbytes": "qlora",
    "datasets": "hub",
    "deepspeed": "train",
    "huggingface_hub": "hub",
    "math_verify": "bench",
    "matplotlib": "report",
    "openai": "openai",
    "peft": "train",
    "pyarrow": "hub",
    "ray": "ray",
    "reasoning_gym": "generated",
    "safetensors": "transformers",
    "tenacity": "openai",
    "tensorboard": "tensorboard",
    "torch": "transformers",
    "transformers": "transformers",
    "vllm": "vllm",
    "wandb": "wandb",
}
"""Import name of a library -> the extra that installs it."""


def missing_library(name: str, why: str = "") -> MissingDependencyError:
    """Return the error to raise where a library is not installed; it says how to install it.

    Args:
        name: Import name of the library, such as "vllm"; of "vllm.sampling_params" the first part counts.
        why: What needs it, such as "lora.bits"; left out of the message where it is empty.
    """
    library = name.partition(".")[0]
    extra = EXTRAS.get(library)
    command = f"pip install 'rise-env[{extra}]'" if extra else f"pip install {library}"
    need = f"{why} needs {library}, which is not installed" if why else f"{library} is not installed"
    return MissingDependencyError(f"{need}: {command}")
