/**
 * Python, part of the launcher: calls a function with the arguments that its parameters ask for by name, or refuses.
 */
export const callMain = String.raw`
class File:
    __slots__ = ("id", "path")
    def __init__(self, id, path):
        self.id, self.path = id, path
    def __fspath__(self):
        return self.path
    __str__ = __fspath__
    def __repr__(self):
        return f"File(id={self.id!r}, path={self.path!r})"

class Task:
    __slots__ = ("name", "inputs", "outputs")
    def __init__(self, name, inputs, outputs):
        self.name, self.inputs, self.outputs = name, inputs, outputs
    def __repr__(self):
        return f"Task(name={self.name!r}, inputs={self.inputs!r}, outputs={self.outputs!r})"

def refuse(message):
    # Before bot code runs there is a supervisor to tell; afterwards stderr is all that is left.
    if control.closed:
        print(message, file=sys.stderr)
    else:
        quoted = message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        os.write(3, ('{"code":"config","message":"' + quoted + '"}\n').encode())
        control.close()
    sys.exit(78)

def config():
    # json.loads without importing json, which costs as much as a quarter of the interpreter's start.
    text = os.environ.get("BOT_CONFIG", "{}").strip()
    if not make_scanner:
        import json
        return json.loads(text)
    class options:
        strict, object_hook, object_pairs_hook = True, None, None
        parse_float, parse_int, parse_constant = float, int, float
    return make_scanner(options)(text, 0)[0]

def arguments():
    """Everything that a bot may ask for, as functions by parameter name. The standard names win over ids."""
    files = [File(*file) for file in launch["inputs"] + launch["outputs"]]
    task = Task(launch["task"], files[:len(launch["inputs"])], files[len(launch["inputs"]):])
    known = {}
    for file in files:
        known.setdefault(file.id.replace("-", "_"), lambda file=file: file)
    for file in files:
        if "-" not in file.id:
            known[file.id] = lambda file=file: file
    bot_id = lambda: os.environ.get("BOT_ID", "")
    known.update(bot_id=bot_id, config=config, task=lambda: task)
    return known, {**known, "id": bot_id}

def missing(name, known):
    refuse(f"{launch['name']}: main cannot be called: nothing fills its parameter \"{name}\"; "
           f"there are: {', '.join(known)}")

def check(arguments_node):
    """The same as call() would find, told from the source alone, so that no bot code has run yet."""
    known, named = arguments()
    positional = arguments_node.posonlyargs + arguments_node.args
    required = positional[:len(positional) - len(arguments_node.defaults)]
    required += [a for a, d in zip(arguments_node.kwonlyargs, arguments_node.kw_defaults) if d is None]
    for parameter in required:
        if parameter.arg not in named:
            missing(parameter.arg, known)

def parameters(function):
    """Yields (name, kind, whether it has a default), kind being 0 positional only, 1 either, 2 *args, 3 keyword only, 4 **kwargs."""
    if type(function) is type(refuse) and not hasattr(function, "__wrapped__") and not hasattr(function, "__signature__"):
        code, defaults, keyword_defaults = function.__code__, function.__defaults__ or (), function.__kwdefaults__ or {}
        names, count = code.co_varnames, code.co_argcount
        for index in range(count):
            yield names[index], int(index >= code.co_posonlyargcount), index >= count - len(defaults)
        for name in names[count:count + code.co_kwonlyargcount]:
            yield name, 3, name in keyword_defaults
        if code.co_flags & 8:
            yield "", 4, True
        return
    import inspect
    for parameter in inspect.signature(function).parameters.values():
        yield parameter.name, int(parameter.kind), parameter.default is not parameter.empty

def call(function):
    known, named = arguments()
    positional, keywords, rest, skipped = [], {}, False, False
    for name, kind, has_default in parameters(function):
        if kind == 2:
            continue
        if kind == 4:
            rest = True
        elif name in named:
            # A positional-only parameter behind one left to its default cannot be reached.
            if kind == 0 and not skipped:
                positional.append(named[name]())
            elif kind != 0:
                keywords[name] = named[name]()
            known.pop(name, None)
            if name == "id":
                known.pop("bot_id", None)
        elif has_default:
            skipped = skipped or kind == 0
        else:
            missing(name, known)
    if rest:
        keywords.update((name, value()) for name, value in known.items() if name not in keywords)
    result = function(*positional, **keywords)
    if hasattr(result, "__await__"):
        import asyncio
        async def main():
            return await result
        asyncio.run(result if asyncio.iscoroutine(result) else main())
`;
