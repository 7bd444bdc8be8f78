"""Token ids and log-probabilities as bytes, which a store holds in base64.

Token ids are exact. Their first byte is the number of bytes of each id: 2, or 4 if one needs more than 2.
Log-probabilities are rounded to 32-bit floats. All numbers are little-endian. Compression with zlib would
halve the ids, but not make the log-probabilities smaller, which are the larger part.

To read them with NumPy: `np.frombuffer(data[1:], {2: "<u2", 4: "<u4"}[data[0]])` and
`np.frombuffer(data, "<f4")`.
"""

import base64
import struct
from collections.abc import Sequence

_CODES = {2: "H", 4: "I"}
"""Bytes per token id -> its type in `struct`."""


def ids_to_base64(ids: Sequence[int]) -> str:
    """Return token ids as base64.

    Raises:
        ValueError: An id is not an integer in [0, 2**32).
    """
    try:
        width = 2 if not ids or max(ids) < 1 << 16 else 4
        data = struct.pack(f"<B{len(ids)}{_CODES[width]}", width, *ids)
    except (struct.error, TypeError):
        raise ValueError("token ids must be integers from 0 to 2**32 - 1") from None
    return base64.b64encode(data).decode()


def ids_from_bytes(data: bytes) -> tuple[int, ...]:
    """Return the token ids that `ids_to_base64` wrote.

    Raises:
        ValueError: The bytes have another form.
    """
    code = _CODES.get(data[0]) if data else None
    count, rest = divmod(len(data) - 1, data[0] if code else 1)
    if code is None or rest:
        raise ValueError("token ids must be a byte with their width, 2 or 4, and whole ids after it")
    return struct.unpack_from(f"<{count}{code}", data, 1)


def logprobs_to_base64(logprobs: Sequence[float]) -> str:
    """Return log-probabilities as base64, rounded to 32-bit floats.

    Raises:
        ValueError: One is not a number that a 32-bit float can hold.
    """
    try:
        data = struct.pack(f"<{len(logprobs)}f", *logprobs)
    except (struct.error, TypeError, OverflowError):
        raise ValueError("log-probabilities must be numbers that 32-bit floats can hold") from None
    return base64.b64encode(data).decode()


def logprobs_from_bytes(data: bytes) -> tuple[float, ...]:
    """Return the log-probabilities that `logprobs_to_base64` wrote.

    Raises:
        ValueError: The bytes have another form.
    """
    if len(data) % 4:
        raise ValueError(f"log-probabilities must have 4 bytes each, got {len(data)} bytes")
    return struct.unpack(f"<{len(data) // 4}f", data)
