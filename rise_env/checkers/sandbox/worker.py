"""The worker process: compares sums, integrals and limits with sympy. `worker_pool.py` starts it as a script.

It imports only sympy and the standard library. It reads one JSON line per request, `[seconds, left, right]`
with trees as `tree.to_json` writes them, and answers each with one line: "1" equal, "0" different, "?" not
decidable, "T" out of time or memory.

Every request runs in a child process, which is forked after sympy has been loaded. It has limits on CPU time
and memory, and is killed if it takes too long. So no request changes the state for later ones, and no other
process on the machine changes an answer. The worker ends when its standard input is closed.
"""

import json
import os
import resource
import signal
import sys
from typing import Any

MEGABYTE = 1 << 20
DIGITS, TOLERANCE = 60, 40
"""Decimal digits to which values are computed, and digits that must agree."""
POINTS = (5, -11, 23, -40, 130, -2711, 15, 1)
"""Points, times 9, at which expressions with variables are compared: near and far, positive and negative."""
WHOLE_POINTS = (1, 2, 3, 4, 5, 6, 9, 12)
"""Values of the variables that are bounds of sums and products."""
POINTS_NEEDED = 3
"""Points at which both expressions must have a value."""
RENAMED = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "ln": "log",
    "arctanh": "atanh", "abs": "Abs", "ceil": "ceiling", "max": "Max", "min": "Min", "mod": "Mod", "Re": "re",
    "Im": "im",
}  # fmt: skip
"""Names of functions in trees, to their names in sympy, where they differ."""
UNCHANGED = frozenset(
    "sin cos tan cot sec csc sinh cosh tanh coth sech csch exp floor factorial factorial2 binomial gamma gcd "
    "lcm erf sign".split()
)
"""Names of functions that are the same in trees and in sympy."""


def main(memory_mb: int) -> None:
    """Answer requests until standard input is closed."""
    import sympy  # loaded once, before the first fork

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(5000)
    print("ready", flush=True)
    for line in sys.stdin:
        seconds, left, right = json.loads(line)
        print(_in_child(sympy, float(seconds), left, right, memory_mb), flush=True)


def _in_child(sympy: Any, seconds: float, left: Any, right: Any, memory_mb: int) -> str:
    """Compare two trees in a forked child; return its answer, "T" if it needs more CPU seconds."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        verdict = "?"
        try:
            os.close(receive)
            resource.setrlimit(resource.RLIMIT_AS, (memory_mb * MEGABYTE, memory_mb * MEGABYTE))
            signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process
            signal.setitimer(signal.ITIMER_PROF, seconds)
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            verdict = Converter(sympy).compare(left, right)
        except MemoryError:
            verdict = "T"
        except BaseException:  # sympy may raise anything, and a child must always answer
            verdict = "?"
        finally:
            os.write(send, verdict.encode())
            os._exit(0)
    os.close(send)
    answer = os.read(receive, 1).decode()  # empty if the child has been ended
    os.close(receive)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return answer or "T"


def _bounds(tree: Any) -> set[str]:
    """Return the variables in the bounds of the sums and products of a tree."""
    kind, parts, value = tree
    found = {name for part in parts for name in _bounds(part)}
    if kind == "big" and value in ("sum", "product"):
        found.update(name for bound in parts[1:3] for name in _symbols(bound))
    return found


def _symbols(tree: Any) -> set[str]:
    kind, parts, value = tree
    return {value} if kind == "symbol" else {name for part in parts for name in _symbols(part)}


class Converter:
    """Builds sympy expressions from trees, and compares them. No text is parsed or evaluated."""

    def __init__(self, sympy: Any) -> None:
        self.sympy = sympy

    def compare(self, left: Any, right: Any) -> str:
        """Return "1" for equal, "0" for different, "?" for not decidable.

        Values with variables are compared at a few points.
        """
        sympy = self.sympy
        values = [self.build(tree).doit() for tree in (left, right)]
        undefined = (sympy.nan, sympy.zoo, sympy.oo, -sympy.oo)
        if any(value.has(*undefined) for value in values):
            return "1" if values[0] == values[1] and values[0] not in (sympy.nan, sympy.zoo) else "0"
        difference = values[0] - values[1]
        if difference == 0:
            return "1"
        names = sorted(difference.free_symbols, key=str)
        whole = {name for tree in (left, right) for name in _bounds(tree)}
        compared = 0
        for number, whole_number in zip(POINTS, WHOLE_POINTS, strict=True):
            point = {
                name: whole_number + place if str(name) in whole else sympy.Rational(number + 7 * place, 9)
                for place, name in enumerate(names)
            }
            numbers = [sympy.N(value.subs(point), DIGITS) for value in values]
            if not all(found.is_number and found.is_finite for found in numbers):
                continue
            compared += 1
            scale = max(abs(numbers[0]), abs(numbers[1]), sympy.Rational(1, 10**TOLERANCE))
            if abs(numbers[0] - numbers[1]) > scale * sympy.Rational(1, 10**TOLERANCE):
                return "0"
            if not names:
                return "1"
        return "1" if compared >= POINTS_NEEDED else "?"

    def build(self, tree: Any) -> Any:
        """Return the sympy expression of a tree."""
        kind, parts, value = tree
        sympy = self.sympy
        if kind == "number":
            over, _, under = value.partition("/")
            return sympy.Rational(int(over), int(under or 1))
        if kind == "symbol":
            return sympy.Symbol(value, real=True)
        if kind == "constant":
            return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infinity": sympy.oo}[value]
        if kind == "big":
            return self._big(value, parts)
        built = [self.build(part) for part in parts]
        if kind == "sum":
            return sympy.Add(*built)
        if kind == "product":
            return sympy.Mul(*built)
        if kind == "negative":
            return -built[0]
        if kind == "quotient":
            return built[0] / built[1]
        if kind == "power":
            return built[0] ** built[1]
        if kind == "root":
            return sympy.real_root(*built) if built[1].is_odd else sympy.root(*built)
        if kind == "function":
            return self._function(value, built)
        raise ValueError(kind)

    def _big(self, name: str, parts: Any) -> Any:
        sympy = self.sympy
        built = [self.build(part) for part in parts]
        if name in {"sum", "product"}:
            variable, below, above, body = built
            return (sympy.Sum if name == "sum" else sympy.Product)(body, (variable, below, above))
        if name == "integral":
            return sympy.Integral(built[-1], built[0] if len(built) == 2 else tuple(built[:3]))
        side = name.removeprefix("limit") or "+-"
        return sympy.Limit(built[2], built[0], built[1], dir=side)

    def _function(self, name: str, built: list[Any]) -> Any:
        sympy = self.sympy
        if name in {"log", "lg", "log2"}:
            base = built[1] if len(built) > 1 else sympy.Integer(2 if name == "log2" else 10)
            return sympy.log(built[0], base)
        if name not in RENAMED and name not in UNCHANGED:
            raise ValueError(name)
        return getattr(sympy, RENAMED.get(name, name))(*built)


if __name__ == "__main__":
    main(int(sys.argv[1]))
