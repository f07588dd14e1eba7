"""Part of the launcher: calls a function with the arguments that its parameters ask for by name, or refuses."""

import os
import sys

from task import bot_id, parse_json, the_task


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
    return parse_json(os.environ.get("BOT_CONFIG", "{}"))


def arguments():
    """Everything that a bot may ask for, as functions by parameter name. The standard names win over ids."""
    task = the_task()
    files = task.inputs + task.outputs
    known = {}
    for file in files:
        known.setdefault(file.id.replace("-", "_"), lambda file=file: file)
    for file in files:
        if "-" not in file.id:
            known[file.id] = lambda file=file: file
    known.update(bot_id=bot_id, config=config, task=lambda: task)
    return known, {**known, "id": bot_id}


def refuse_call(name, missing, known):
    """Refuses to call `name`: nothing fills its parameters `missing`."""
    quoted = [f'"{parameter}"' for parameter in missing]
    what = f"parameter {quoted[0]}" if len(quoted) == 1 else f"parameters {', '.join(quoted[:-1])} and {quoted[-1]}"
    refuse(f"{name} cannot be called: nothing fills its {what}; there are: {', '.join(known)}")


def check(name, arguments_node):
    """The same as call() would find, told from the source alone, so that no bot code has run yet."""
    known, named = arguments()
    positional = arguments_node.posonlyargs + arguments_node.args
    required = positional[: len(positional) - len(arguments_node.defaults)]
    required += [a for a, d in zip(arguments_node.kwonlyargs, arguments_node.kw_defaults, strict=True) if d is None]
    missing = [parameter.arg for parameter in required if parameter.arg not in named]
    if missing:
        refuse_call(name, missing, known)


def parameters(function):
    """
    Yields (name, kind, whether it has a default), kind being 0 positional only, 1 either, 2 *args, 3 keyword only, 4 **kwargs.
    Raises ValueError for what does not say its parameters.
    """
    plain = type(function) is type(refuse)
    if plain and not hasattr(function, "__wrapped__") and not hasattr(function, "__signature__"):
        code, defaults, keyword_defaults = function.__code__, function.__defaults__ or (), function.__kwdefaults__ or {}
        names, count = code.co_varnames, code.co_argcount
        for index in range(count):
            yield names[index], int(index >= code.co_posonlyargcount), index >= count - len(defaults)
        for name in names[count : count + code.co_kwonlyargcount]:
            yield name, 3, name in keyword_defaults
        if code.co_flags & 8:
            yield "", 4, True
        return
    import inspect

    for parameter in inspect.signature(function).parameters.values():
        yield parameter.name, int(parameter.kind), parameter.default is not parameter.empty


def call(name, function):
    known, named = arguments()
    try:
        wanted = list(parameters(function))
    except ValueError:
        refuse(f"{name} cannot be called: it does not say what its parameters are")
    positional, keywords, missing, rest, skipped = [], {}, [], False, False
    for parameter, kind, has_default in wanted:
        if kind == 2:
            continue
        if kind == 4:
            rest = True
        elif parameter in named:
            # A positional-only parameter after one left to its default cannot be reached.
            if kind == 0 and not skipped:
                positional.append(parameter)
            elif kind != 0:
                keywords[parameter] = named[parameter]
        elif has_default:
            skipped = skipped or kind == 0
        else:
            missing.append(parameter)
    if missing:
        refuse_call(name, missing, known)
    if rest:
        taken = {*positional, *keywords}
        if "id" in taken:
            taken.add("bot_id")
        keywords.update((key, value) for key, value in known.items() if key not in taken)
    result = function(*(named[key]() for key in positional), **{key: value() for key, value in keywords.items()})
    if hasattr(result, "__await__"):
        import asyncio

        async def main():
            return await result

        asyncio.run(result if asyncio.iscoroutine(result) else main())
