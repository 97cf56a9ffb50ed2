"""A user's own rule over columns, read as arithmetic and comparisons and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contimg_lab.errors import InvalidInput

__all__ = ["evaluate"]

_MOST_CHARACTERS = 1000
_MOST_DEPTH = 60

_ARITHMETIC: Mapping[type[ast.AST], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_COMPARISONS: Mapping[type[ast.AST], np.ufunc] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_FUNCTIONS: Mapping[str, np.ufunc] = {"abs": np.abs, "log10": np.log10}


@dataclass(slots=True)
class _Truth:
    """Yes or no where known; three-valued, since NaN is neither."""

    yes: NDArray[np.bool_]
    known: NDArray[np.bool_]


_Value = NDArray[np.float64] | _Truth


def evaluate(
    expression: str, columns: Mapping[str, NDArray[np.generic]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Evaluate a rule over columns.

    Column names, numbers, ``< <= > >= == !=`` (chained as in Python), ``and or not``,
    ``+ - * / **``, ``abs()`` and ``log10()``. The text is parsed, never run.

    A comparison with an undefined (NaN or infinite) number is unknown, and so is ``not`` of it;
    ``unknown or true`` is true, ``unknown and false`` is false.

    Parameters
    ----------
    expression
        At most 1,000 characters.
    columns
        Name and values, each of shape (m,): numbers, or booleans.

    Returns
    -------
    yes, known
        Shape (m,) each; ``yes`` is False where not known.

    Raises
    ------
    InvalidInput
        The text holds anything else, an unknown name, or is no condition.

    Examples
    --------
    >>> import numpy as np
    >>> evaluate("not eta < 2", {"eta": np.array([1.0, 3.0, np.nan])})[0].tolist()
    [False, True, False]
    """
    if not isinstance(expression, str) or len(expression) > _MOST_CHARACTERS:
        raise InvalidInput(f"a rule is a text of at most {_MOST_CHARACTERS} characters")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidInput(f"rule {expression!r} cannot be read: {error}") from error
    reader = _Reader(expression, columns)
    with np.errstate(all="ignore"):
        found = reader.read(tree.body, 0)
    if not isinstance(found, _Truth):
        raise InvalidInput(f"rule {expression!r} is a number, not a condition such as eta > 2")
    return found.yes & found.known, found.known


class _Reader:
    def __init__(self, text: str, columns: Mapping[str, NDArray[np.generic]]) -> None:
        self.text, self.columns = text, columns
        self.size = len(next(iter(columns.values()))) if columns else 0
        self.readers: dict[type[ast.AST], Callable[[ast.AST, int], _Value]] = {
            ast.BinOp: self._arithmetic,
            ast.BoolOp: self._both_or_either,
            ast.Call: self._call,
            ast.Compare: self._compare,
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.UnaryOp: self._unary,
        }

    def read(self, node: ast.AST, depth: int) -> _Value:
        reader = self.readers.get(type(node))
        if reader is None or depth > _MOST_DEPTH:
            raise self._refused(node)
        return reader(node, depth + 1)

    def _refused(self, node: ast.AST) -> InvalidInput:
        return InvalidInput(
            f"rule {self.text!r} may not hold {type(node).__name__}: it may hold column names, "
            "numbers, comparisons, and, or, not, + - * / **, abs() and log10()"
        )

    def _number(self, node: ast.AST, depth: int) -> NDArray[np.float64]:
        value = self.read(node, depth)
        if isinstance(value, _Truth):
            raise InvalidInput(f"rule {self.text!r} calculates with a condition")
        return value

    def _truth(self, node: ast.AST, depth: int) -> _Truth:
        value = self.read(node, depth)
        if not isinstance(value, _Truth):
            raise InvalidInput(f"rule {self.text!r} joins a number where a condition must stand")
        return value

    def _constant(self, node: ast.AST, depth: int) -> _Value:
        assert isinstance(node, ast.Constant)
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise self._refused(node)
        try:
            number = float(node.value)
        except OverflowError as error:
            raise InvalidInput(f"rule {self.text!r} holds a number beyond a double") from error
        return np.full(self.size, number)

    def _name(self, node: ast.AST, depth: int) -> _Value:
        assert isinstance(node, ast.Name)
        if node.id not in self.columns:
            names = ", ".join(sorted(self.columns))
            raise InvalidInput(f"rule {self.text!r} names {node.id!r}; the columns are {names}")
        column = self.columns[node.id]
        if column.dtype == bool:
            return _Truth(column.astype(bool), np.ones(self.size, bool))
        try:
            return column.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"rule {self.text!r}: column {node.id!r} is text") from error

    def _arithmetic(self, node: ast.AST, depth: int) -> _Value:
        assert isinstance(node, ast.BinOp)
        how = _ARITHMETIC.get(type(node.op))
        if how is None:
            raise self._refused(node.op)
        found = how(self._number(node.left, depth), self._number(node.right, depth))
        return np.asarray(found, np.float64)

    def _unary(self, node: ast.AST, depth: int) -> _Value:
        assert isinstance(node, ast.UnaryOp)
        if isinstance(node.op, ast.Not):
            value = self._truth(node.operand, depth)
            return _Truth(~value.yes, value.known)
        if isinstance(node.op, ast.USub):
            return -self._number(node.operand, depth)
        if isinstance(node.op, ast.UAdd):
            return self._number(node.operand, depth)
        raise self._refused(node.op)

    def _call(self, node: ast.AST, depth: int) -> _Value:
        assert isinstance(node, ast.Call)
        function = node.func
        if (
            not isinstance(function, ast.Name)
            or function.id not in _FUNCTIONS
            or len(node.args) != 1
            or node.keywords
        ):
            raise self._refused(node)
        found = _FUNCTIONS[function.id](self._number(node.args[0], depth))
        return np.asarray(found, np.float64)

    def _compare(self, node: ast.AST, depth: int) -> _Value:
        assert isinstance(node, ast.Compare)
        terms = [self._number(term, depth) for term in (node.left, *node.comparators)]
        found = _Truth(np.ones(self.size, bool), np.ones(self.size, bool))
        for how, left, right in zip(node.ops, terms, terms[1:], strict=False):
            compare = _COMPARISONS.get(type(how))
            if compare is None:
                raise self._refused(how)
            known = np.isfinite(left) & np.isfinite(right)
            found = _and(found, _Truth(compare(left, right), known))
        return found

    def _both_or_either(self, node: ast.AST, depth: int) -> _Value:
        assert isinstance(node, ast.BoolOp)
        terms = [self._truth(term, depth) for term in node.values]
        found = terms[0]
        for term in terms[1:]:
            if isinstance(node.op, ast.And):
                found = _and(found, term)
            else:
                refused = _and(_Truth(~found.yes, found.known), _Truth(~term.yes, term.known))
                found = _Truth(~refused.yes, refused.known)
        return found


def _and(one: _Truth, other: _Truth) -> _Truth:
    no = (one.known & ~one.yes) | (other.known & ~other.yes)
    both = one.known & other.known
    return _Truth(both & one.yes & other.yes, both | no)
