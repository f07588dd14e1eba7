/**
 * What `node -e` runs: reads the program below from file descriptor 3. Not a byte further, so that `go` is left for
 * the program; the end of the stream instead means that nobody wants the bot any more.
 */
export const nodeBootstrap =
  "const{readSync:r}=require('fs'),e=()=>process.exit(143),c=Buffer.alloc(1);let n='';" +
  'while((r(3,c)||e())&&c[0]!==10)n+=c;const b=Buffer.alloc(+n);for(let i=0;i<b.length;)i+=r(3,b,{offset:i})||e();' +
  'eval(String(b))';

/**
 * The launcher of Node bots. `launch` (above it, see nodejs20.ts) says what to run.
 *
 * A file is loaded as the process's main module, so that a script and its `require.main === module` work as under
 * `node FILE`. The exception is a file that exports `main` and also asks whether it is the main module: it is loaded
 * as any other module, its guard stays shut, and `main` runs once. Which one it is has to be read from its source,
 * because loading it already runs one or the other.
 */
export const nodeProgram = String.raw`
(() => {
  const fs = require('fs'), path = require('path'), Module = require('module');
  const { pathToFileURL } = require('url');
  const load = (url) => import(url);
  // Loaded while there is time: nearly every bot prints, and all of them get a signal.
  const stopping = new AbortController();
  void process.stdout;
  const go = Buffer.alloc(3);
  for (let i = 0; i < 3; ) i += fs.readSync(3, go, { offset: i }) || process.exit(143);
  fs.closeSync(3);

  // A bot finds the globals of a script, not those of "-e", which has every built-in module and "require" as one.
  const standard = new Set(['crypto', 'process', 'console']);
  for (const name of [...Module.builtinModules, 'require', 'module', 'exports', '__filename', '__dirname']) {
    if (!standard.has(name)) delete globalThis[name];
  }
  // "-e" puts this one back when its script has run.
  process.nextTick(() => delete globalThis.module);
  process.execArgv = [];
  process._eval = undefined;
  process.chdir(launch.code);
  const file = fs.realpathSync(path.join(launch.code, launch.entrypoint));
  process.argv.splice(1, Infinity, file);

  const source = fs.readFileSync(file, 'utf8');
  const guarded = /\brequire\s*\.\s*main\b|\bprocess\s*\.\s*argv\s*\[\s*1\s*\]/.test(source);
  const exportsMain =
    /\bexports\s*\.\s*(main|default)\b|\bexports\s*=\s*(\{[^}]*\bmain\b|async\b|function\b|\(|\w+\s*(=>|;|$))/m.test(source) ||
    /\bexport\s+(default\b|(async\s+)?function\s*\*?\s*main\b|(const|let|var)\s+main\b|\{[^}]*\b(main|default)\b)/.test(source);
  const asMain = !(guarded && exportsMain);

  const isModule = () => {
    if (file.endsWith('.mjs')) return true;
    if (file.endsWith('.cjs')) return false;
    for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
      try {
        const { type } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
        return type === 'module' || (type === undefined && /^(import|export)\b/m.test(source));
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
      if (folder === path.dirname(folder)) return /^(import|export)\b/m.test(source);
    }
  };

  let running, asked = false;
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
  const mainOf = (loaded) =>
    [loaded?.main, loaded?.default?.main, loaded?.default, loaded].find(isFunction);

  const call = (loaded) => {
    const main = mainOf(loaded);
    if (!main) return;
    const files = (list) => list.map(([id, path]) => ({ id, path }));
    const byId = (list) => Object.fromEntries(list.map((file) => [file.id, file]));
    const task = { name: launch.task, inputs: files(launch.inputs), outputs: files(launch.outputs) };
    const context = {
      task,
      inputs: byId(task.inputs),
      outputs: byId(task.outputs),
      get signal() {
        asked = true;
        return stopping.signal;
      },
    };
    const result = main(process.env.BOT_ID, JSON.parse(process.env.BOT_CONFIG || '{}'), context);
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

  if (isModule()) {
    if (!asMain) process.argv[1] = launch.code;
    load(pathToFileURL(file)).then((loaded) => {
      process.argv[1] = file;
      call(loaded);
    });
    return;
  }
  const loaded = Module._load(file, null, asMain);
  if (!asMain) process.mainModule = Module._cache[file];
  if (!(asMain && guarded)) call(loaded);
})();
`;
