import { expect, inject, test } from 'vitest';
import { containerBots } from '../support/container/containerBots.ts';
import { newContainer, runRuntime } from '../support/process/executable.ts';

async function run(kind: string, entrypoint: string, files: Record<string, string>) {
  const bots = await containerBots(inject('minio'));
  const env = await bots.deploy({ kind, entrypoint, files });
  const container = await newContainer();
  return runRuntime(['execute'], { ...env, ...container.env });
}

test.each(['spawn', 'forkserver', 'fork'])(
  'Python workers by %s find the functions and classes of the bot’s module',
  async (method) => {
    const end = await run('python3.11', 'main.py', {
      'main.py': `
import multiprocessing, pickle
class Order:
    def __init__(self, n): self.n = n
def square(order): return order.n * order.n
def main():
    with multiprocessing.get_context(${JSON.stringify(method)}).Pool(2) as pool:
        print(pool.map(square, [Order(n) for n in (1, 2, 3)]))
    print(pickle.loads(pickle.dumps(Order(4))).n)
`,
    });
    expect(end, end.stderr).toMatchObject({ code: 0, stdout: '[1, 4, 9]\n4\n' });
  },
);

test('a Python thread that outlives main, and what runs at exit, still count', async () => {
  const end = await run('python3.11', 'main.py', {
    'main.py': `
import atexit, threading, time
atexit.register(lambda: print("at exit"))
said = threading.Event()
def late():
    said.wait()
    time.sleep(0.5)
    print("thread")
def main():
    threading.Thread(target=late).start()
    print("main")
    said.set()
`,
  });
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: 'main\nthread\nat exit\n' });
});

test('modules of the bot that are named like those of the standard library do not trouble the launcher', async () => {
  const files = Object.fromEntries(
    ['types', 'inspect', 'asyncio', 'json', 'queue', 'signal', 'socket'].map((name) => [
      `${name}.py`,
      'mine = 1\n',
    ]),
  );
  const end = await run('python3.11', 'main.py', {
    ...files,
    'main.py': 'import json\ndef main(config): print(json.mine, config)\n',
  });
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: '1 {}\n' });
});

test('Node workers, clusters and forks run the bot’s file as `node FILE` would', async () => {
  const end = await run('nodejs20', 'main.js', {
    'main.js': `
const { Worker, isMainThread } = require('worker_threads');
const cluster = require('cluster');
const { fork } = require('child_process');
const after = (child, event, text) => new Promise((done) => child.on(event, (value) => done(console.log(text, value))));
(async () => {
  if (!isMainThread) return console.log('in a worker');
  if (process.env.FORKED) return process.send(process.execArgv.length);
  if (!cluster.isPrimary) process.exit(3);
  await after(new Worker(__filename), 'exit', 'worker');
  await after(cluster.fork(), 'exit', 'cluster');
  await after(fork(__filename, { env: { ...process.env, FORKED: '1' } }), 'message', 'fork');
})();
`,
  });
  expect(end, end.stderr).toMatchObject({ code: 0, stdout: 'in a worker\nworker 0\ncluster 3\nfork 0\n' });
});

test('scripts from Windows: a byte order mark and CR LF', async () => {
  const python = await run('python3.11', 'main.py', {
    'main.py': '\ufeffdef main(config):\r\n    print("python", config)\r\n',
  });
  expect(python, python.stderr).toMatchObject({ code: 0, stdout: 'python {}\n' });
  const node = await run('nodejs20', 'main.js', {
    'main.js': '\ufeffmodule.exports = (id, config) => console.log("node", config);\r\n',
  });
  expect(node, node.stderr).toMatchObject({ code: 0, stdout: 'node {}\n' });
});
