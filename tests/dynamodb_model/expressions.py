"""The expressions of DynamoDB that the store uses, read strictly: what is not known here is refused, not guessed.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

import base64
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

type Value = dict[str, Any]  # as DynamoDB has it: a type beside the value
type Item = dict[str, Value]
type Condition = Callable[[Item], bool]
type Operand = Callable[[Item], Value | None]

TOKEN = re.compile(r"\s*(?:([A-Za-z][A-Za-z0-9_]*)|(#\w+)|(:\w+)|(<>|<=|>=|[=<>(),]))", re.ASCII)
KINDS = ("word", "name", "value", "sign")
RESERVED = frozenset(ReservedKeywords.get_reserved_keywords())
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDERED = ("S", "B")  # types of which this model can tell what is less


class Unknown(AssertionError):
    """Raised if the model is asked what it does not know. It never guesses: either teach it, or do not ask."""


class Invalid(Exception):
    """Raised if DynamoDB would answer with a ValidationException."""


class Names:
    """What `#name` and `:value` stand for in one request; each must be used, as DynamoDB demands.

    Args:
        request: with ExpressionAttributeNames and ExpressionAttributeValues, where it has any.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._names: dict[str, str] = request.get("ExpressionAttributeNames", {})
        self._values: dict[str, Value] = request.get("ExpressionAttributeValues", {})
        self._unused = {*self._names, *self._values}

    def attribute(self, kind: str, text: str) -> str:
        """Return the name of an attribute, written out or as `#name`."""
        if kind == "word":
            if text.upper() in RESERVED:
                raise Invalid(f"{text} is a reserved word")
            return text
        return str(self._look_up(self._names, text))

    def value(self, text: str) -> Value:
        """Return the value that a `:value` stands for."""
        found: Value = self._look_up(self._values, text)
        return found

    def require_all_used(self) -> None:
        """Refuse the request if a name or a value was given for nothing."""
        if self._unused:
            raise Invalid(f"unused: {sorted(self._unused)}")

    def _look_up(self, given: Mapping[str, Any], text: str) -> Any:
        if text not in given:
            raise Invalid(f"{text} is not defined")
        self._unused.discard(text)
        return given[text]


class Reader:
    """Reads one expression from left to right.

    Args:
        text: the expression.
        names: what it refers to.
    """

    def __init__(self, text: str, names: Names) -> None:
        self._tokens = _tokens(text)
        self._names = names

    def condition(self) -> Condition:
        """Read a condition: `attribute_not_exists(a) AND (a = :v OR NOT b < :w)`."""
        found = self._either()
        self._end()
        return found

    def update(self) -> dict[str, Operand | None]:
        """Read an update, `SET a = :v, b = if_not_exists(b, :w) REMOVE c`: what each attribute becomes.

        Returns:
            An operand for each attribute; None where it is removed.
        """
        found: dict[str, Operand | None] = {}
        sections: set[str] = set()
        while self._tokens:
            section = self._take("word").upper()
            if section not in ("SET", "REMOVE"):
                raise Unknown(f"an update with {section}")
            if section in sections:
                raise Invalid(f"{section} twice")
            sections.add(section)
            for name, operand in self._listed(section):
                if name in found:
                    raise Invalid(f"{name} twice")
                found[name] = operand
        if not found:
            raise Invalid("an update of nothing")
        return found

    def projection(self) -> set[str]:
        """Read a projection: `a, #b, c`."""
        found = [self._attribute()]
        while self._skip(","):
            found.append(self._attribute())
        self._end()
        if len(set(found)) < len(found):
            raise Invalid("an attribute twice")
        return set(found)

    def key_condition(self, partition: str, sort: str | None) -> tuple[Value, Condition]:
        """Read a key condition: `partitionKey = :value`, or `partitionKey = :value AND sortKey < :other`.

        Args:
            partition: name of the partition key.
            sort: name of the sort key, None where there is none.

        Returns:
            The partition, and what else must be true of an item.
        """
        if self._attribute() != partition:
            raise Unknown("a key condition that does not begin with the partition key")
        self._expect("=")
        value = self._names.value(self._take("value"))
        if not self._skip_word("AND"):
            self._end()
            return value, lambda _: True
        name, sign = self._attribute(), self._take("sign")
        if name != sort:
            raise Invalid(f"{name} in a key condition")
        if sign not in ("<", ">"):
            raise Unknown(f"whether a full page up to {sign} is the last one")
        bound = self._names.value(self._take("value"))
        self._end()
        return value, lambda item: _compare(item[name], sign, bound)

    def _listed(self, section: str) -> list[tuple[str, Operand | None]]:
        found = []
        while True:
            name = self._attribute()
            operand: Operand | None = None
            if section == "SET":
                self._expect("=")
                operand = self._assigned()
            found.append((name, operand))
            if not self._skip(","):
                return found

    def _assigned(self) -> Operand:
        if self._next() != ("word", "if_not_exists"):
            return self._operand()
        self._take("word")
        self._expect("(")
        name = self._attribute()
        self._expect(",")
        otherwise = self._operand()
        self._expect(")")
        return lambda item: item.get(name) or otherwise(item)

    def _either(self) -> Condition:
        found = self._both()
        while self._skip_word("OR"):
            found = _or(found, self._both())
        return found

    def _both(self) -> Condition:
        found = self._single()
        while self._skip_word("AND"):
            found = _and(found, self._single())
        return found

    def _single(self) -> Condition:
        if self._skip_word("NOT"):
            negated = self._single()
            return lambda item: not negated(item)
        if self._skip("("):
            if self._next() == ("sign", "("):
                raise Unknown("which parentheses are redundant, and so refused")
            found = self._either()
            self._expect(")")
            return found
        kind, text = self._next()
        if kind == "word" and len(self._tokens) > 1 and self._tokens[1] == ("sign", "("):
            return self._function()
        if kind not in ("word", "name", "value"):
            raise Invalid(f"{text} where a condition begins")
        return self._comparison()

    def _function(self) -> Condition:
        function = self._take("word")
        if function not in ("attribute_exists", "attribute_not_exists"):
            raise Unknown(f"the function {function}")
        self._expect("(")
        name = self._attribute()
        self._expect(")")
        expected = function == "attribute_exists"
        return lambda item: (name in item) == expected

    def _comparison(self) -> Condition:
        left = self._operand()
        sign = self._take("sign")
        if sign not in COMPARISONS:
            raise Invalid(f"{sign} where values are compared")
        right = self._operand()
        return lambda item: _compare(left(item), sign, right(item))

    def _operand(self) -> Operand:
        if self._next()[0] == "value":
            value = self._names.value(self._take("value"))
            return lambda _: value
        name = self._attribute()
        return lambda item: item.get(name)

    def _attribute(self) -> str:
        kind, text = self._next()
        if kind not in ("word", "name"):
            raise Invalid(f"{text!r} where an attribute is named")
        self._tokens.pop(0)
        return self._names.attribute(kind, text)

    def _next(self) -> tuple[str, str]:
        return self._tokens[0] if self._tokens else ("end", "")

    def _take(self, kind: str) -> str:
        if self._next()[0] != kind:
            raise Invalid(f"{self._next()[1]!r} instead of a {kind}")
        return self._tokens.pop(0)[1]

    def _skip(self, sign: str) -> bool:
        is_there = self._next() == ("sign", sign)
        if is_there:
            self._tokens.pop(0)
        return is_there

    def _skip_word(self, word: str) -> bool:
        kind, text = self._next()
        is_there = kind == "word" and text.upper() == word
        if is_there:
            self._tokens.pop(0)
        return is_there

    def _expect(self, sign: str) -> None:
        if not self._skip(sign):
            raise Invalid(f"{self._next()[1]!r} instead of {sign}")

    def _end(self) -> None:
        if self._tokens:
            raise Invalid(f"{self._tokens[0][1]!r} at the end")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise Unknown(f"{text[position:]!r} in an expression")
        found += [(kind, part) for kind, part in zip(KINDS, match.groups(), strict=True) if part]
        position = match.end()
    return found


def _or(left: Condition, right: Condition) -> Condition:
    return lambda item: left(item) or right(item)


def _and(left: Condition, right: Condition) -> Condition:
    return lambda item: left(item) and right(item)


def _compare(left: Value | None, sign: str, right: Value | None) -> bool:
    if left is None or right is None:
        return sign == "<>"
    [(left_type, left_value)], [(right_type, right_value)] = left.items(), right.items()
    if sign in ("=", "<>"):
        return COMPARISONS[sign]((left_type, left_value), (right_type, right_value))
    if left_type != right_type:
        return False
    if left_type not in ORDERED:
        raise Unknown(f"the order of {left_type}")
    return COMPARISONS[sign](order(left), order(right))


def order(value: Value) -> bytes:
    """Return what values of a type are ordered by: text by its UTF-8, binary values by their bytes."""
    [(kind, content)] = value.items()
    return base64.b64decode(content) if kind == "B" else str(content).encode()
