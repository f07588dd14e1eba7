"""
The launcher of Python bots. `launch` says what to run (pythonLaunch.ts), `control` is file descriptor 3 (bootstrap.py). It
imports nothing that the interpreter has not loaded by itself: `json`, `inspect`, `asyncio`, `importlib` cost 4 to 40 ms each
and are loaded only for the bots that need them.

Until `go` it touches nothing of the bot's: neither the code path nor PYTHONPATH are known to the interpreter, so a stale
`sitecustomize.py` or `json.py` of an earlier container's life is never picked up.
"""

import _signal
import os
import sys

from agent import serve_messages
from call_main import call, check
from find_main import bindings
from task import the_task

os.set_inheritable(3, False)
runtime = globals()
own_pid = os.getpid()


def module(name, path):
    new = type(sys)(name)
    new.__builtins__ = __builtins__
    if path:
        new.__file__ = path
    sys.modules[name] = new
    return new


def run_file():
    path = os.path.join(launch["code"], launch["name"])
    sys.path[0] = os.path.dirname(path)
    with open(path, "rb") as file:
        source = file.read()
    found, title = [], f"{launch['name']}: main"
    if b"main" in source:
        tree = compile(source, path, "exec", 0x400)  # PyCF_ONLY_AST
        found = list(bindings(tree.body))
        if len(found) == 1 and hasattr(found[0], "args") and not found[0].decorator_list:
            check(title, found[0].args)
    code = compile(source, path, "exec", dont_inherit=True)
    if not launch["messages"]:
        control.close()
        if not found:
            exec(code, module("__main__", path).__dict__)
            return
    name = os.path.basename(path).rpartition(".")[0] or os.path.basename(path)
    # A bot in token.py must not take the place of a loaded module of that name.
    bot = module(name if name not in sys.modules else name + "_bot", path)
    exec(code, bot.__dict__)
    main = getattr(bot, "main", None)
    call_main = (lambda: call(title, main)) if found and callable(main) else None
    if launch["messages"]:
        serve_messages(bot, launch["name"], call_main)
    elif call_main:
        call_main()


def no_function(message):
    print(message, file=sys.stderr)
    sys.exit(127)


def find_function(name):
    """
    The module, and the attribute's names in it: `pkg.mod:Class.fn` says where one ends, of `pkg.mod.fn` the longest name that is
    a module counts.
    """
    from importlib import import_module

    path, colon, attribute = name.partition(":")
    attributes = attribute.split(".") if colon else []
    while True:
        try:
            return import_module(path), attributes
        except ModuleNotFoundError as error:
            # A module that the bot's own code lacks is its own affair.
            if not error.name or not (path + ".").startswith(error.name + "."):
                raise
            parent, _, last = path.rpartition(".")
            if colon or not parent:
                no_function(f"no module {error.name} for the entrypoint {name}")
            path, attributes = parent, [last, *attributes]


def run_function():
    control.close()
    name = launch["name"]
    function, attributes = find_function(name)
    where = function.__name__
    for attribute in attributes:
        if not hasattr(function, attribute):
            no_function(f"{where} has no {'.'.join(attributes)} for the entrypoint {name}")
        function = getattr(function, attribute)
    if not callable(function):
        no_function(f"{name} is not a function")
    call(name, function)


def run_code():
    control.close()
    main = module("__main__", None)
    main.task = the_task()
    exec(compile(launch["name"], "<string>", "exec", dont_inherit=True), main.__dict__)


def stop(number, frame):
    if os.getpid() == own_pid:
        if "threading" in sys.modules:
            # The interpreter's end would wait for threads that nobody has told to stop.
            sys.modules["threading"]._shutdown = lambda: None
        raise SystemExit(143)
    # A forked child ends as it would without us.
    _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)


def start():
    if control.readline() != b"go\n":
        sys.exit(143)
    os.chdir(launch["code"])
    search = [os.path.join(launch["code"], "vendor"), launch["code"]]
    os.environ["PYTHONPATH"] = os.pathsep.join(search)
    sys.path[:] = [launch["code"], *search, *filter(None, sys.path)]
    sys.argv[:] = launch["argv"]
    # One write a line: logs are timely, at half the system calls of an unbuffered stream.
    if sys.stdout:
        sys.stdout.reconfigure(line_buffering=True)
    _signal.signal(_signal.SIGTERM, stop)
    try:
        {"file": run_file, "function": run_function, "code": run_code}[launch["type"]]()
        if "threading" in sys.modules:
            # Waits for the bot's threads here, as the interpreter's end would, but where SIGTERM still means 143.
            sys.modules["threading"]._shutdown()
    except SystemExit:
        raise
    except BaseException as error:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_globals is runtime:
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        # Told already; raised again for the exit code and for what the interpreter does at its end.
        sys.excepthook = lambda *_: None
        raise


start()
