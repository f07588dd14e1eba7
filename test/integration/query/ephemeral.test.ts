import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runEphemeralQuery } from '../../../src/agent/query/once/runEphemeralQuery.ts';
import type { ProgramLaunch } from '../../../src/agent/query/program/programLaunch.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { RuntimeError } from '../../../src/base/errors.ts';
import type { Config, QueryConfig } from '../../../src/bot/config/config.ts';
import { the0Sdk } from '../../support/container/the0Sdk.ts';

let dir: string;
let resultDir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runtime-ephemeral-'));
  resultDir = join(dir, 'query');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

interface Asked {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly uploads: Record<string, string>;
}

interface AskOptions {
  readonly query?: Partial<QueryConfig>;
  readonly upload?: () => Promise<void>;
  readonly prepare?: () => Promise<ProgramLaunch>;
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
}

async function ask(argv: readonly string[], options: AskOptions = {}): Promise<Asked> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const uploads: Record<string, string> = {};
  const query = { path: '/x', params: {}, resultKey: 'k', timeoutMs: 20_000, ...options.query };
  const env = { PATH: process.env.PATH ?? '', RESULT: join(resultDir, 'result.json'), ...options.env };
  const code = await runEphemeralQuery({
    onProgram: () => undefined,
    config: { query, stopTimeoutMs: 10_000 } as unknown as Config,
    prepare: options.prepare ?? (async () => ({ argv, env, cwd: dir, control: undefined, user: undefined })),
    upload: async (key, answer) => {
      await options.upload?.();
      uploads[key] = answer.toString();
    },
    stdout,
    stderr,
    clock: systemClock,
    signal: options.signal ?? new AbortController().signal,
    resultDir,
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr), uploads };
}

const sh = (script: string) => ['/bin/sh', '-c', script];

test('prints exactly the answer as one line, everything else on stderr, and uploads it', async () => {
  const answer = '{"status":"ok",\n  "data": {"n": 1.0, "s": "\\u00fc"}}\n';
  const asked = await ask(sh(`echo chatter; echo more >&2; cat > "$RESULT" <<'X'\n${answer}X`));
  const line = '{"status":"ok",   "data": {"n": 1.0, "s": "\\u00fc"}}';
  expect(asked).toEqual({ code: 0, stdout: `${line}\n`, stderr: 'chatter\nmore\n', uploads: { k: line } });
});

test('gives path and parameters in the environment', async () => {
  const script =
    'printf \'{"status":"ok","data":["%s",%s,"%s","%s"]}\' "$QUERY_PATH" "$QUERY_PARAMS" "$QUERY_PARAM_s" "$QUERY_PARAM_n" > "$RESULT"';
  const { stdout } = await ask(sh(script), { query: { path: '/p', params: { s: 'a b', n: [1] } } });
  expect(JSON.parse(stdout).data).toEqual(['/p', { s: 'a b', n: [1] }, 'a b', '[1]']);
});

test('an answer that was there before is not this one', async () => {
  await mkdir(resultDir);
  await writeFile(join(resultDir, 'result.json'), '{"status":"ok","data":"old"}');
  const { code, stdout } = await ask(sh('true'));
  expect(code).not.toBe(0);
  expect(stdout).not.toContain('old');
});

test('a folder that a program left in place of its answer does not keep the next one from answering', async () => {
  const left = await ask(sh('mkdir "$RESULT"; echo x > "$RESULT/x"; chmod 500 "$RESULT"'));
  expect(left.code).not.toBe(0);
  const answer = '{"status":"ok"}';
  expect(await ask(sh(`echo '${answer}' > "$RESULT"`))).toMatchObject({ code: 0, stdout: `${answer}\n` });
});

test.each([
  ['no result', 'true'],
  ['no JSON', 'echo nonsense > "$RESULT"'],
  ['JSON that is not an answer', 'echo 17 > "$RESULT"'],
  ['a crash', 'kill -SEGV $$'],
  ['a crash after the answer', 'echo \'{"status":"ok"}\' > "$RESULT"; exit 3'],
  ['a link', 'echo \'{"status":"ok"}\' > other; ln -s "$PWD/other" "$RESULT"'],
  ['a pipe', 'mkfifo "$RESULT"'],
  ['too much', 'head -c 17000000 /dev/zero > "$RESULT"'],
  ['a time-out', 'sleep 60 & sleep 60'],
])('%s is an error answer, printed and uploaded', async (name, script) => {
  const asked = await ask(sh(script), { query: { timeoutMs: name === 'a time-out' ? 300 : 20_000 } });
  expect(asked.code).not.toBe(0);
  expect(JSON.parse(asked.stdout)).toEqual({ status: 'error', error: expect.any(String) });
  expect(asked.stdout.split('\n')).toHaveLength(2);
  expect(asked.uploads.k).toBe(asked.stdout.trim());
});

test("the program's own error answer is passed on, with a non-zero exit", async () => {
  const answer = '{"status":"error","error":"no","more":1}';
  const asked = await ask(sh(`echo '${answer}' > "$RESULT"; exit 1`));
  expect(asked.code).toBe(1);
  expect(asked.stdout).toBe(`${answer}\n`);
});

test('what cannot be pulled is an error answer with its exit code', async () => {
  const prepare = async () => {
    throw new RuntimeError('not-found', 'no such code');
  };
  const asked = await ask([], { prepare });
  expect(asked.code).toBe(66);
  expect(JSON.parse(asked.uploads.k!)).toEqual({ status: 'error', error: 'no such code' });
});

test('stopped while the program runs, it is an error answer, uploaded all the same', async () => {
  const stop = new AbortController();
  const asked = ask(sh('touch started; sleep 60'), { signal: stop.signal });
  await expect.poll(() => existsSync(join(dir, 'started'))).toBe(true);
  stop.abort(new RuntimeError('interrupted', 'stopped by SIGTERM'));
  const answer = '{"status":"error","error":"stopped by SIGTERM"}';
  expect(await asked).toMatchObject({ code: 143, stdout: `${answer}\n`, uploads: { k: answer } });
});

test('the time-out counts from the start of the program, however long the pull takes', async () => {
  const argv = sh('echo \'{"status":"ok"}\' > "$RESULT"');
  const launch = {
    argv,
    env: { RESULT: join(resultDir, 'result.json') },
    cwd: dir,
    control: undefined,
    user: undefined,
  };
  const prepare = async () => {
    await systemClock.sleep(5000);
    return launch;
  };
  expect(await ask([], { prepare, query: { timeoutMs: 4900 } })).toMatchObject({
    code: 0,
    stdout: '{"status":"ok"}\n',
  });
});

test('an answer that cannot be uploaded becomes an error', async () => {
  const upload = async () => {
    throw new RuntimeError('unavailable', 'the store is away');
  };
  const asked = await ask(sh('echo \'{"status":"ok"}\' > "$RESULT"'), { upload });
  expect(asked.code).toBe(69);
  expect(JSON.parse(asked.stdout)).toMatchObject({
    status: 'error',
    error: expect.stringContaining('the store is away'),
  });
});

const PYTHON = `
from the0 import query
query._QUERY_RESULT_PATH = __import__("os").environ["RESULT"]

@query.handler("/sum")
def sum_(request):
    print("noise")
    return {"sum": int(request.get("a")) + int(request.get("b"))}

query.run()
`;

test('the published Python SDK answers', async () => {
  await writeFile(join(dir, 'query.py'), PYTHON);
  const env = { PYTHONPATH: await the0Sdk() };
  const asked = await ask(['python3', 'query.py'], {
    query: { path: '/sum', params: { a: 1, b: '2' } },
    env,
  });
  expect(asked.stdout).toBe('{"status": "ok", "data": {"sum": 3}}\n');
  expect(asked.code).toBe(0);
  const unknown = await ask(['python3', 'query.py'], { query: { path: '/none' }, env });
  expect(JSON.parse(unknown.stdout)).toMatchObject({ status: 'error', error: 'No handler for path: /none' });
  expect(unknown.code).toBe(1);
});

test('where there can be no result file, it is asked as a server', async () => {
  await symlink('/nowhere', resultDir);
  await writeFile(join(dir, 'query.py'), PYTHON);
  const env = { PYTHONPATH: await the0Sdk() };
  const asked = await ask(['python3', 'query.py'], {
    query: { path: '/sum', params: { a: 1, b: '2' } },
    env,
  });
  expect(asked.stdout).toBe('{"status": "ok", "data": {"sum": 3}}\n');
  expect(asked.code).toBe(0);
});

test('a server that never listens times out', async () => {
  await symlink('/nowhere', resultDir);
  const asked = await ask(sh('sleep 60'), { query: { timeoutMs: 300 } });
  expect(asked.code).toBe(1);
  expect(JSON.parse(asked.stdout).status).toBe('error');
  await expect(readFile(join(resultDir, 'result.json'))).rejects.toThrow();
});
