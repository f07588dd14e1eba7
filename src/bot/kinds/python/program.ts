import { callMain } from './callMain.ts';
import { findMain } from './findMain.ts';

/** What `python -c` runs: reads the program below from file descriptor 3, leaving what follows it in `control`. */
export const pythonBootstrap = 'control=open(3,"rb");exec(control.read(int(control.readline())))';

/**
 * The launcher of Python bots. `launch` (above it, see pythonLaunch.ts) says what to run. It imports nothing that the
 * interpreter has not loaded by itself: `json`, `inspect`, `asyncio`, `importlib` cost 4 to 40 ms each and are
 * loaded only for the bots that need them.
 *
 * Until `go` it touches nothing of the bot's: neither the code path nor PYTHONPATH are known to the interpreter, so a
 * stale `sitecustomize.py` or `json.py` of an earlier container's life is never picked up.
 */
export const pythonProgram = String.raw`
import os, sys, _signal
try:
    from _json import make_scanner
except ImportError:
    make_scanner = None

os.set_inheritable(3, False)
runtime = globals()

${callMain}
${findMain}
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
    found = []
    if b"main" in source:
        tree = compile(source, path, "exec", 0x400)  # PyCF_ONLY_AST
        found = list(bindings(tree.body))
        if len(found) == 1 and hasattr(found[0], "args") and not found[0].decorator_list:
            check(found[0].args)
    code = compile(source, path, "exec", dont_inherit=True)
    control.close()
    if not found:
        exec(code, module("__main__", path).__dict__)
        return
    name = os.path.basename(path).rpartition(".")[0] or os.path.basename(path)
    # A bot in token.py must not take the place of a loaded module of that name.
    bot = module(name if name not in sys.modules else name + "_bot", path)
    exec(code, bot.__dict__)
    if callable(getattr(bot, "main", None)):
        call(bot.main)

def run_function():
    control.close()
    name, _, attribute = launch["name"].partition(":")
    from importlib import import_module
    try:
        function = import_module(name)
    except ModuleNotFoundError as error:
        if not error.name or not (name + ".").startswith(error.name + "."):
            raise
        print(f"no module {error.name} for the entrypoint {launch['name']}", file=sys.stderr)
        sys.exit(127)
    for part in attribute.split("."):
        if not hasattr(function, part):
            print(f"{name} has no {attribute} for the entrypoint {launch['name']}", file=sys.stderr)
            sys.exit(127)
        function = getattr(function, part)
    call(function)

def run_code():
    control.close()
    exec(compile(launch["name"], "<string>", "exec", dont_inherit=True), module("__main__", None).__dict__)

def stop(number, frame, pid=os.getpid()):
    if os.getpid() == pid:
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
`;
