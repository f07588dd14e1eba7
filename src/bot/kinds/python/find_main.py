"""Part of the launcher: tells from a module's syntax tree whether it has a `main` to call."""


def bindings(body):
    """The statements that bind a top-level name main when the file is loaded as a module."""
    for node in body:
        kind = type(node).__name__
        if kind in ("FunctionDef", "AsyncFunctionDef"):
            if node.name == "main":
                yield node
        elif kind in ("Import", "ImportFrom"):
            if any((alias.asname or alias.name) == "main" for alias in node.names):
                yield node
        elif kind == "Assign" or kind == "AnnAssign" and node.value:
            targets = list(node.targets if kind == "Assign" else [node.target])
            for target in targets:
                targets.extend(getattr(target, "elts", ()))
                if getattr(target, "id", None) == "main":
                    yield node
        elif kind != "ClassDef":
            skip = guard(node.test) if kind == "If" else None
            for field in ("body", "orelse", "finalbody"):
                if field != skip:
                    yield from bindings(getattr(node, field, ()))
            for part in getattr(node, "handlers", []) + getattr(node, "cases", []):
                yield from bindings(part.body)


def guard(test):
    """Which branch of an if only a script takes: __name__ == "__main__" or its opposite; None for any other test."""
    if type(test).__name__ != "Compare" or len(test.ops) != 1:
        return None
    sides = [getattr(side, "id", None) or getattr(side, "value", None) for side in (test.left, test.comparators[0])]
    if "__name__" not in sides or "__main__" not in sides:
        return None
    return {"Eq": "body", "NotEq": "orelse"}.get(type(test.ops[0]).__name__)
