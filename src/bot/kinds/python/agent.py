"""
Part of the launcher, of agents alone: answers the messages that come over descriptor 3, which stays open for that. Each is a line
of JSON; what becomes of a turn goes the other way (src/agent/links/handlerLink.ts). Loaded while the code is still being pulled.
"""

import json
import os
import sys
import threading
import traceback

from call_main import arguments, parameters, refuse, refuse_call
from task import parse_json

# What a message fills besides what every bot may ask for.
OF_A_MESSAGE = ("text", "message", "context", "ctx", "conversation", "metadata", "turn", "parts", "state_dir")


class Channel:
    def __init__(self):
        self.lock = threading.Lock()

    def write(self, line):
        data = json.dumps(line).encode() + b"\n"
        with self.lock:
            try:
                while data:
                    data = data[os.write(3, data) :]
            except OSError:
                # Nobody is there to hear it, and we are about to be ended.
                pass


channel = Channel()


class Context:
    """One turn, as a handler sees it."""

    def __init__(self, message):
        self.turn = message["id"]
        self.conversation = message["conversation"]
        self.metadata = message.get("metadata") or {}
        self.text = message.get("text", "")
        self.parts = message.get("parts") or [{"type": "text", "text": self.text}]
        self.cancelled = False
        self._task = None

    @property
    def config(self):
        return parse_json(os.environ.get("BOT_CONFIG", "{}"))

    @property
    def state_dir(self):
        return os.environ.get("STATE_DIR", "")

    def usage(self, *, model=None, provider=None, usd=None, **tokens):
        """Of this turn: input, output, cache_read, cache_write, reasoning, total. Several add up."""
        usage = {"model": model, "provider": provider, "usd": usd}
        names = {"cache_read": "cacheRead", "cache_write": "cacheWrite"}
        known = ("input", "output", "cacheRead", "cacheWrite", "reasoning", "total")
        counts = {names.get(name, name): count for name, count in tokens.items()}
        for name in counts:
            if name not in known:
                raise TypeError(f"usage() has no {name}; there are: model, provider, usd, {', '.join(known)}")
        usage = {name: value for name, value in usage.items() if value is not None}
        if counts:
            usage["tokens"] = counts
        self._say(type="usage", usage=usage)

    def cost(self, type, quantity, unit=None, usd=None):
        """Another cost of this turn: cost("voice", 12.5, "second")."""
        cost = {"type": type, "quantity": quantity, "unit": unit or type.rpartition(".")[2], "usd": usd}
        self._say(type="usage", usage={"costs": [cost]})

    def thought(self, text):
        self._say(type="thought", text=text)

    def tool(self, id, name, status):
        self._say(type="tool", tool=str(id), name=str(name), status=str(status))

    def _say(self, **line):
        channel.write({"id": self.turn, **line})


class Cancelled(Exception):
    pass


class Agent:
    def __init__(self, module, title):
        self.module, self.title = module, title
        self.handler = getattr(module, "on_message", None)
        self.turns = {}
        self.loop = None
        self.starting = threading.Lock()
        if not callable(self.handler):
            refuse(f"{title} has no on_message(text, context) to answer messages")
        self.plan = self.plan_call()

    def plan_call(self):
        """The handler's parameters, found once: those by position, those by name, and whether it takes all others."""
        known, named = arguments()
        try:
            wanted = list(parameters(self.handler))
        except ValueError:
            refuse(f"{self.title}: on_message cannot be called: it does not say what its parameters are")
        there = {**named, **dict.fromkeys(OF_A_MESSAGE)}
        missing = [name for name, kind, default in wanted if kind not in (2, 4) and not default and name not in there]
        if missing:
            refuse_call(f"{self.title}: on_message", missing, {**dict.fromkeys(OF_A_MESSAGE), **known})
        positional = [name for name, kind, _ in wanted if kind == 0 and name in there]
        by_name = [name for name, kind, _ in wanted if kind in (1, 3) and name in there]
        return positional, by_name, any(kind == 4 for _, kind, _ in wanted)

    def call(self, context):
        named = arguments()[1]
        values = {
            "text": context.text,
            "message": context.text,
            "context": context,
            "ctx": context,
            "conversation": context.conversation,
            "metadata": context.metadata,
            "turn": context.turn,
            "parts": context.parts,
            "state_dir": context.state_dir,
        }
        positional, by_name, takes_rest = self.plan

        def value(name):
            return values[name] if name in values else named[name]()

        keywords = {name: value(name) for name in by_name}
        if takes_rest:
            keywords.update({name: it for name, it in values.items() if name not in {*positional, *keywords}})
        return self.handler(*(value(name) for name in positional), **keywords)

    def answer(self, message):
        context = Context(message)
        self.turns[context.turn] = context
        threading.Thread(target=self.run, args=(context,), daemon=True, name=context.turn).start()

    def run(self, context):
        end = {"type": "end", "stopReason": "end"}
        try:
            self.take(context, self.call(context))
        except Cancelled:
            pass
        except BaseException as error:
            if not context.cancelled:
                traceback.print_exception(type(error), error, error.__traceback__.tb_next)
                end = {"type": "error", "message": "".join(traceback.format_exception_only(type(error), error)).strip()}
        finally:
            self.turns.pop(context.turn, None)
        if context.cancelled:
            end = {"type": "end", "stopReason": "cancelled"}
        context._say(**end)

    def take(self, context, result):
        if hasattr(result, "__await__") or hasattr(result, "__aiter__"):
            self.run_async(context, self.take_async(context, result))
        elif isinstance(result, str) or result is None or not hasattr(result, "__iter__"):
            self.tell(context, result)
        else:
            try:
                for piece in result:
                    self.tell(context, piece)
                    if context.cancelled:
                        raise Cancelled
            finally:
                getattr(result, "close", lambda: None)()

    async def take_async(self, context, result):
        if hasattr(result, "__await__"):
            result = await result
        if not hasattr(result, "__aiter__"):
            return self.take(context, result)
        try:
            async for piece in result:
                self.tell(context, piece)
                if context.cancelled:
                    raise Cancelled
        finally:
            if hasattr(result, "aclose"):
                await result.aclose()

    def tell(self, context, piece):
        if piece is None or piece == "":
            return
        if not isinstance(piece, str):
            raise TypeError(f"on_message gave a value of type {type(piece).__name__}, and not text")
        context._say(type="delta", text=piece)

    def run_async(self, context, coroutine):
        """On one event loop for all turns, in a thread of its own; the turn's thread waits."""
        import asyncio

        with self.starting:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                threading.Thread(target=self.loop.run_forever, daemon=True, name="messages").start()
        # Done or cancelled, the future tells; a turn that was cancelled before it began never begins.
        context._task = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        if context.cancelled:
            context._task.cancel()
        context._task.result()

    def cancel(self, context):
        context.cancelled = True
        if context._task is not None:
            context._task.cancel()

    def hello(self):
        # Whoever asks knows of no turn: what is under way was asked for by one that has died.
        for context in list(self.turns.values()):
            self.cancel(context)
        said = getattr(self.module, "capabilities", None)
        version = getattr(self.module, "__version__", None)
        channel.write(
            {
                "type": "hello",
                "version": version if isinstance(version, str) else "",
                "capabilities": said if isinstance(said, dict) else {},
            }
        )

    def serve(self):
        for line in control:
            message = json.loads(line)
            kind = message.get("type")
            if kind == "message":
                self.answer(message)
            elif kind == "cancel" and message.get("id") in self.turns:
                self.cancel(self.turns[message["id"]])
            elif kind == "hello":
                self.hello()


def serve_messages(module, title, call_main):
    """Answers messages until the process is ended. `call_main`, where the module has a main: it runs beside."""
    agent = Agent(module, title)

    def serve():
        agent.serve()
        # The supervisor is gone.
        os.kill(os.getpid(), 15)

    if call_main:
        reader = threading.Thread(target=serve, daemon=True, name="channel")
        reader.start()
        call_main()
        reader.join()
    else:
        agent.serve()
        sys.exit(143)
