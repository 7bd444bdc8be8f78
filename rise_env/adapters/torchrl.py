"""TorchRL: `GymEnv` and `GymWrapper` read our environments after `register_spaces()`."""

from typing import Any

from rise_env.envs.spaces import ConversationSpace, UnicodeText
from rise_env.utils.extras import missing_library


def register_spaces() -> None:
    """Tell TorchRL how texts and conversations are stored in a TensorDict: as `NonTensor` data.

    A second call changes nothing. Afterwards `torchrl.envs.GymEnv("RISE-GSM8K-v0", ...)` works; actions and
    observations are plain Python objects in the TensorDict.

    Raises:
        MissingDependencyError: TorchRL is not installed.
    """
    try:
        from torchrl.data import NonTensor
        from torchrl.envs.libs.gym import register_gym_spec_conversion
    except ImportError:
        raise missing_library("torchrl", "rise_env.adapters.torchrl") from None

    def convert(example: Any) -> Any:
        def conversion(spec: Any, *, device: Any = None, batch_size: Any = None, **kwargs: Any) -> Any:
            return NonTensor(example_data=example, shape=batch_size or (), device=device)

        return conversion

    register_gym_spec_conversion(UnicodeText)(convert(""))
    register_gym_spec_conversion(ConversationSpace)(convert(()))
