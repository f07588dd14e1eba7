import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Invocation } from '../../../../src/base/command/command.ts';
import { readConfig } from '../../../../src/bot/config/readConfig.ts';
import { loadKinds } from '../../../../src/bot/kinds/registry.ts';
import { kinds as kindsCommand } from '../../../../src/operator/kinds.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { kindRequest } from '../../../support/process/kindRequest.ts';

const root = join(import.meta.dirname, '../../../..');
const shipped = join(root, 'kinds');

const agent = (fields: string) => `id: my-agent
displayName: My agent
description: An agent.
argv: [my-agent, --port, "{port}", --files, "{here}"]
${fields}
`;

async function load(files: Record<string, string>) {
  const manifestsDir = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) await writeFile(join(manifestsDir, name), text);
  return { ...(await loadKinds({ manifestsDir, allowExperimental: true })), manifestsDir };
}

async function printed(flags: Invocation['flags'], positionals: string[], cwd: string, path = cwd) {
  let text = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const streams = { stdin: process.stdin, stdout, stderr: process.stderr };
  await kindsCommand.run({
    positionals,
    flags,
    env: { KINDS_PATH: path },
    cwd,
    ...streams,
    hangup: new AbortController().signal,
    abandonStalled: () => undefined,
    commands: { name: '', summary: '', commands: {} },
  });
  return text;
}

test('an agent from a manifest gets a port and a key of its own, and needs no entrypoint', async () => {
  const kinds = await load({
    'a.yaml': agent(
      'agent: { protocol: openai, usage: none, openai: { key: { env: THE_KEY }, conversation: { body: user } } }\nstopSeconds: 15',
    ),
  });
  const kind = kinds.get('my-agent');
  expect(kind).toMatchObject({
    entrypoint: 'none',
    stopSeconds: 15,
    agent: {
      protocol: 'openai',
      usage: 'none',
      permissions: 'reject',
      openai: {
        port: undefined,
        path: '/v1/chat/completions',
        health: '/health',
        model: 'agent',
        conversation: { body: 'user' },
        key: { env: 'THE_KEY' },
      },
    },
  });
  const launch = await kind.launch({ ...kindRequest('/bot', ''), endpoint: { port: 4711, key: 'k' } });
  expect(launch.argv).toEqual(['my-agent', '--port', '4711', '--files', kinds.manifestsDir]);
  expect(launch.env).toEqual({ THE_KEY: 'k' });
  const config = await readConfig(
    { BOT_ID: 'b', RUNTIME: 'my-agent', STORE_URL: 'file:///s' },
    { role: 'execute', knownKinds: kinds.all(), uid: 1, isTTY: false },
  );
  expect(config).toMatchObject({ kind: 'my-agent', entrypoint: '' });
});

test.each([
  ['agent: { protocol: acp }', { protocol: 'acp', usage: 'turn', resume: undefined, openai: undefined }],
  ['agent: { protocol: acp, permissions: allow, resume: load }', { permissions: 'allow', resume: 'load' }],
  ['agent: { protocol: openai }', { openai: { health: '/health', conversation: undefined } }],
])('what a manifest leaves out has a default (%s)', async (fields, expected) => {
  const kinds = await load({ 'a.yaml': agent(fields) });
  expect(kinds.get('my-agent').agent).toMatchObject(expected);
});

test('an agent that names its entrypoint, or is a handler, still needs one', async () => {
  const kinds = await load({
    'a.yaml': agent('agent: { protocol: acp }\nenv: { MAIN: "{entrypoint}" }'),
    'b.yaml': agent('agent: { protocol: handler }').replace('my-agent', 'other'),
    'c.yaml': agent('').replace('my-agent', 'no-agent'),
  });
  expect(kinds.broken).toEqual([]);
  expect(['my-agent', 'other', 'no-agent'].map((id) => kinds.get(id).entrypoint)).toEqual(
    Array(3).fill('file'),
  );
});

test.each([
  ['agent: { protocol: a2a }', /a\.yaml:5: agent\.protocol: /],
  ['agent: { protocol: acp, openai: {} }', /agent\.openai: is only for the protocol openai/],
  ['agent: { protocol: openai, openai: { port: 80 } }', /agent\.openai\.port: .*>=1024 but received 80/],
  ['agent: { protocol: openai, openai: { path: v1 } }', /agent\.openai\.path: must begin with/],
  ['agent: { protocol: openai, openai: { conversation: { cookie: x } } }', /must be \{body: FIELD\}/],
  ['agent: { protocol: openai, openai: { key: { env: "a b" } } }', /key\.env: is not a name of a variable/],
  ['agent: { protocol: acp, colour: red }', /agent\.colour: /],
  ['sources: [../etc/passwd]', /sources\.0: must be a path below/],
  ['stopSeconds: 0', /stopSeconds: /],
])('what is wrong with an agent names line and field (%s)', async (fields, problem) => {
  const { broken } = await load({ 'a.yaml': agent(fields) });
  expect(broken.flatMap(({ problems }) => problems)).toEqual([expect.stringMatching(problem)]);
});

test('a lock has to name every source, and one that changed takes the kind out', async () => {
  const { manifestsDir: dir } = await load({
    'a.yaml': agent('sources: [install.sh, more/config.yaml]'),
    'install.sh': 'x',
  });
  await mkdir(join(dir, 'more'));
  await writeFile(join(dir, 'more/config.yaml'), 'y');
  const problems = async () =>
    (await loadKinds({ manifestsDir: dir, allowExperimental: true })).broken.flatMap((one) =>
      one.problems.map((line) => line.replace(dir, '')),
    );
  await printed({}, ['lock', 'a.yaml'], dir);
  expect(await problems()).toEqual([]);
  const lock = await readFile(join(dir, 'a.lock'), 'utf8');
  expect(lock).toMatch(/^.{64} {2}a\.yaml\n.{64} {2}install\.sh\n.{64} {2}more\/config\.yaml\n$/);
  await writeFile(join(dir, 'a.lock'), lock.replace(/.*install.*\n/, ''));
  expect(await problems()).toEqual(['/a.lock:1: it does not name install.sh']);
  await writeFile(join(dir, 'a.lock'), lock);
  await writeFile(join(dir, 'install.sh'), 'changed');
  expect(await problems()).toEqual([expect.stringMatching(/a\.lock:2: install\.sh has the SHA-256/)]);
  // Locking again finds the sources although the old lock does not hold.
  await printed({}, ['lock', 'a.yaml'], dir);
  expect(await problems()).toEqual([]);
});

test('the manifests of this repository hold, and docs/kinds.md shows them as they are printed', async () => {
  const folder = await temporaryDirectory();
  await cp(shipped, join(folder, 'kinds'), { recursive: true });
  const { broken, all } = await loadKinds({ manifestsDir: join(folder, 'kinds'), allowExperimental: true });
  expect(broken).toEqual([]);
  const ids = all().flatMap(({ id, agent }) => (agent ? [id] : []));
  expect(ids).toEqual(['hermes-api', 'hermes', 'openclaw']);
  const row = (line: string) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .join('|');
  const docs = (await readFile(join(root, 'docs/kinds.md'), 'utf8')).split('\n').map(row);
  const table = (await printed({ markdown: true }, [], root, shipped)).replaceAll(`${root}/`, '').split('\n');
  for (const id of ids) {
    const line = table.find((text) => text.startsWith(`| \`${id}\``));
    expect(docs).toContain(row(line ?? id));
  }
});
