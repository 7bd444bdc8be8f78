"""The entry points of all RISE ids.

`gymnasium.pprint_registry` groups ids by the name of the module of their entry point, so that it shows these
ids under "rise".
"""

from rise_env.registration import make_env, make_vector_env

__all__ = ["make_env", "make_vector_env"]
