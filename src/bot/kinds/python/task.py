"""Part of the launcher: the task as a bot sees it."""

import os

try:
    # Before the bot's folders are on the path.
    from _json import make_scanner
except ImportError:
    make_scanner = None


class File:
    __slots__ = ("id", "path")

    def __init__(self, id, path):
        self.id, self.path = id, path

    def __fspath__(self):
        return self.path

    __str__ = __fspath__

    def __repr__(self):
        return f"File(id={self.id!r}, path={self.path!r})"


class Value:
    """An input that is a value of its own; its JSON text is read when it is asked for."""

    __slots__ = ("id", "_text")

    def __init__(self, id, text):
        self.id, self._text = id, text

    @property
    def value(self):
        return parse_json(self._text)

    def __str__(self):
        value = self.value
        return value if isinstance(value, str) else self._text

    def __repr__(self):
        return f"Value(id={self.id!r}, value={self.value!r})"


class Task:
    __slots__ = ("id", "name", "inputs", "outputs")

    def __init__(self, name, inputs, outputs):
        self.id, self.name, self.inputs, self.outputs = bot_id(), name, inputs, outputs

    def __repr__(self):
        return f"Task(id={self.id!r}, name={self.name!r}, inputs={self.inputs!r}, outputs={self.outputs!r})"


def parse_json(text):
    """json.loads without importing json, which costs as much as a quarter of the interpreter's start."""
    if not make_scanner:
        import json

        return json.loads(text)

    class options:
        strict, object_hook, object_pairs_hook = True, None, None
        parse_float, parse_int, parse_constant = float, int, float

    return make_scanner(options)(text.strip(), 0)[0]


def bot_id():
    return os.environ.get("BOT_ID", "")


def the_task():
    inputs = [Value(id, text) if path == "" else File(id, path) for id, path, text in launch["inputs"]]
    return Task(launch["task"], inputs, [File(*file) for file in launch["outputs"]])
