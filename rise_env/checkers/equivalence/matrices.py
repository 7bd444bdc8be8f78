"""Reads matrices into rows of entries, with sums of matrices and multiples by scalars carried out."""

from rise_env.checkers.parsing.tree import Node


def is_matrix(node: Node) -> bool:
    """Return whether a tree is a matrix, or rows in brackets such as `[[1, 2], [3, 4]]`."""
    if node.kind == "matrix":
        return True
    if node.kind in {"product", "sum", "negative", "quotient"}:
        return any(part.kind == "matrix" for part in node.parts)
    return (
        node.kind == "tuple"
        and node.value in {"[]", "()"}
        and all(part.kind == "tuple" and part.value == node.value for part in node.parts)
        and node.value == "[]"
        and len({len(part.parts) for part in node.parts}) == 1
    )


def rows(node: Node) -> list[list[Node]] | None:
    """Return the rows of a matrix; None for expressions that are not evaluated, such as matrix products."""
    kind, parts, _ = node
    if kind in {"matrix", "tuple"}:
        return [list(row.parts) for row in parts]
    if kind == "negative":
        inner = rows(parts[0])
        return inner and [[Node("negative", (entry,)) for entry in row] for row in inner]
    if kind == "quotient":
        inner = rows(parts[0])
        return inner and [[Node("quotient", (entry, parts[1])) for entry in row] for row in inner]
    matrices = [inner for part in parts if is_matrix(part) and (inner := rows(part)) is not None]
    others = [part for part in parts if not is_matrix(part)]
    if kind == "product" and len(matrices) == 1:
        return [[Node("product", (*others, entry)) for entry in row] for row in matrices[0]]
    shapes = {(len(matrix), len(matrix[0])) for matrix in matrices}
    if kind == "sum" and not others and len(shapes) == 1:
        return [
            [Node("sum", tuple(entries)) for entries in zip(*lines, strict=True)]
            for lines in zip(*matrices, strict=True)
        ]
    return None


def as_vector(node: Node) -> tuple[Node, ...] | None:
    """Return the entries of a matrix that is one column; None for other matrices."""
    entries = rows(node)
    if entries is None or any(len(row) != 1 for row in entries):
        return None
    return tuple(row[0] for row in entries)
