/**
 * The launcher of Node bots. `launch` (a line above it, see nodejs20.ts) says what to run.
 *
 * Node itself runs the file, as it would for `node FILE`: whether that is CommonJS or an ES module, what is the main module, and
 * what a stack trace shows is its own affair. What the file exports as `main` is called when it has been loaded.
 *
 * The exception is a file that exports `main` and also asks whether it is the main module: it is loaded as any other module, so
 * that its guard stays shut, and `main` runs once. Which one it is has to be read from its source, because loading it already runs
 * one or the other.
 */
(() => {
  const fs = require('node:fs');
  const path = require('node:path');
  const { pathToFileURL } = require('node:url');
  const Module = require('node:module');
  const load = (file) => import(pathToFileURL(file).href);
  const stopping = new AbortController();
  // Loaded while there is time: nearly every bot prints, and all of them get a signal.
  void process.stdout;
  const go = Buffer.alloc(3);
  for (let at = 0; at < 3; ) at += fs.readSync(3, go, { offset: at }) || process.exit(143);
  if (!launch.messages) fs.closeSync(3);

  // A bot finds the globals of a script, not those of "-e", which has every built-in module and "require" as one.
  const standard = new Set(['crypto', 'process', 'console']);
  const extra = [...Module.builtinModules, 'require', 'module', 'exports', '__filename', '__dirname'];
  for (const name of extra) if (!standard.has(name)) delete globalThis[name];
  process.execArgv = [];
  process._eval = undefined;
  process.chdir(launch.code);
  const file = fs.realpathSync(path.join(launch.code, launch.entrypoint));
  process.argv.splice(1, Number.POSITIVE_INFINITY, file, ...launch.args);

  const source = fs.readFileSync(file, 'utf8').replace(/^[ \t]*(\/\/.*|\/\*[\s\S]*?\*\/)/gm, '');
  const isGuarded =
    /\brequire\s*\.\s*main\s*(===?|!==?|\?\.)|(===?|!==?)\s*require\s*\.\s*main\b/.test(source) ||
    /\bmodule\s*\.\s*parent\b|\bprocess\s*\.\s*argv\s*\[\s*1\s*\]/.test(source);
  // A function that is exported under another name (an Express app) is what its guard starts.
  const exportsMain =
    /\bexports\s*\.\s*main\b/.test(source) ||
    /\bexports\s*=\s*(\{[^}]*\bmain\b|(async\b\s*)?(function\b|\(|\w+\s*=>)|main\b)/.test(source) ||
    /\bexport\s+(default\s+(main\b|(async\b\s*)?(function\b|\(|\w+\s*=>))|(async\s+)?function\s*\*?\s*main\b)/.test(
      source,
    ) ||
    /\bexport\s+((const|let|var)\s+main\b|\{[^}]*\bmain\b)/.test(source);

  let running;
  let asked = false;
  const leave = () => process.exit(process.exitCode ?? 143);
  process.once('SIGTERM', () => {
    const own = process.listenerCount('SIGTERM') > 0;
    stopping.abort();
    // A bot with its own handler decides alone.
    if (own) return;
    // Whoever never asked for the signal cannot be waited for; main, while it runs, can; after it, its listeners can.
    if (!asked) leave();
    else if (running) running.then(leave);
    else process.exitCode ??= 143;
  });

  const isFunction = (value) =>
    typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
  const mainOf = (loaded) => [loaded?.main, loaded?.default?.main, loaded?.default, loaded].find(isFunction);

  const context = () => {
    const byId = (list) => Object.fromEntries(list.map((file) => [file.id, file]));
    const inputs = launch.inputs.map(([id, path, text]) =>
      path === '' ? { id, value: JSON.parse(text) } : { id, path },
    );
    const outputs = launch.outputs.map(([id, path]) => ({ id, path }));
    return {
      task: { id: process.env.BOT_ID, name: launch.task, inputs, outputs },
      inputs: byId(inputs),
      outputs: byId(outputs),
      get signal() {
        asked = true;
        return stopping.signal;
      },
    };
  };

  const call = (main) => {
    const result = main(process.env.BOT_ID, JSON.parse(process.env.BOT_CONFIG || '{}'), context());
    if (typeof result?.then !== 'function') return;
    // A main that waits for the signal alone has nothing else that would keep the process.
    const awake = asked ? setInterval(() => undefined, 2 ** 30) : undefined;
    running = Promise.resolve(result)
      .catch((error) => {
        if (!stopping.signal.aborted || error?.name !== 'AbortError') throw error;
      })
      .finally(() => {
        clearInterval(awake);
        running = undefined;
      });
  };

  /** Calls what the file exports, when it has been loaded as Node loads a main module. */
  const callExported = () => {
    // Of an ES module Node says nothing; it tells what is wrong with one itself.
    if (process.mainModule === undefined)
      load(file).then(
        (loaded) => callMainOf(loaded),
        () => undefined,
      );
    else if (process.mainModule.loaded) callMainOf(process.mainModule.exports);
  };
  const callMainOf = (loaded) => {
    if (launch.messages) return serve(loaded);
    const main = mainOf(loaded);
    if (main && !isGuarded) call(main);
  };
  /** Of an agent: messages are answered, and what it exports as `main` runs beside. */
  const serve = (loaded) => {
    // It stands before us where there are messages (agent.cjs).
    serveMessages(loaded, launch, stopping.signal);
    const main = [loaded?.main, loaded?.default?.main].find(isFunction);
    if (main) call(main);
  };

  /** Calls main of a file that is not to take itself for the main module. */
  const callGuarded = () => {
    const main = Object.assign(new Module('.', null), { filename: file, loaded: true });
    process.mainModule = main;
    process.argv[1] = launch.code;
    let loaded;
    try {
      loaded = Module._load(file, main, false);
    } catch (error) {
      if (!['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'].includes(error?.code)) throw error;
      load(file).then(callGuardedMain);
      return;
    }
    process.mainModule = Module._cache[file];
    callGuardedMain(loaded);
  };
  const callGuardedMain = (loaded) => {
    process.argv[1] = file;
    if (launch.messages) return serve(loaded);
    const main = mainOf(loaded);
    if (main) return call(main);
    console.error(
      `${launch.entrypoint} asks whether it is the main module, and what it exports as "main" is not a function`,
    );
    process.exit(78);
  };

  // "-e" puts its own global back when its script has run.
  process.nextTick(() => delete globalThis.module);
  if (isGuarded && exportsMain) {
    process.nextTick(callGuarded);
  } else {
    // As a callback of its own: no function of ours is on the stack below the bot.
    process.nextTick(Module.runMain.bind(Module), file);
    process.nextTick(callExported);
  }
})();
