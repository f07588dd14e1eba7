import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { RuntimeError } from '../../../../src/base/errors.ts';
import { type KindMiddleware, withMiddleware, wrap } from '../../../../src/bot/kinds/middleware.ts';
import { python311 } from '../../../../src/bot/kinds/python/python311.ts';
import { loadKinds } from '../../../../src/bot/kinds/registry.ts';
import { kinds as kindsCommand } from '../../../../src/operator/kinds.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { kindRequest } from '../../../support/process/kindRequest.ts';
import { run } from '../../../support/process/launch.ts';

const manifest = `id: shell-file
aliases: [sh]
displayName: Shell script
description: A script for sh.
status: stable
footprint: nothing
argv: [/bin/sh, "{entrypoint}", "{bot}", "{state}", "$x"]
env:
  LIBRARY: "{code}/lib"
`;

async function manifests(files: Record<string, string>, allowExperimental = false) {
  const manifestsDir = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) await writeFile(join(manifestsDir, name), text);
  return { manifestsDir, allowExperimental };
}

test('the built-in kinds are there without a manifest directory', async () => {
  const kinds = await loadKinds({ manifestsDir: '/nowhere/kinds.d', allowExperimental: false });
  expect(kinds.all().map(({ id }) => id)).toEqual([
    'python3.11',
    'nodejs20',
    'rust-stable',
    'gcc13',
    'dotnet8',
    'scala3',
    'ghc96',
    'command',
    'python-function',
    'python-code',
  ]);
  expect(kinds.get('cpp-gcc13').id).toBe('gcc13');
});

test('an unknown kind gets the known ones', async () => {
  const kinds = await loadKinds({ manifestsDir: '/nowhere', allowExperimental: false });
  expect(() => kinds.get('Pyton3.11')).toThrow(
    expect.objectContaining({
      exitCode: 78,
      hint: expect.stringMatching(/^known: python3\.11, nodejs20, .*, python-code$/),
    }),
  );
  expect(() => kinds.get('cobol')).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^known: /) }),
  );
});

test('a kind from a manifest runs', async () => {
  const kinds = await loadKinds(
    await manifests({ 'shell.yaml': manifest, 'README.md': 'not one', '.x.yaml': '' }),
  );
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot'), 'echo "$@" "$LIBRARY" "$PWD"');
  const kind = kinds.get('sh');
  await kind.verify(kindRequest(code, 'bot'));
  const { stdout } = await run(kind.launch(kindRequest(code, 'bot', { botId: '{code}' })));
  expect(stdout).toBe(`{code} /state/.the0-state $x ${code}/lib ${code}\n`);
});

test('a manifest can have its file made executable, or take any text', async () => {
  const program = manifest.replace(/argv.*/, 'argv: ["{entrypoint}"]\nexecutable: true');
  const text = manifest
    .replace(/id: .*\n.*\n/, 'id: words\n')
    .replace(/argv.*/, 'argv: [echo, "{entrypoint}"]\nentrypoint: text');
  const kinds = await loadKinds(await manifests({ 'a.yaml': program, 'b.yaml': text }));
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot'), '#!/bin/sh\necho ran', { mode: 0o600 });
  await kinds.get('sh').verify(kindRequest(code, 'bot'));
  expect((await run(kinds.get('sh').launch(kindRequest(code, 'bot')))).stdout).toBe('ran\n');
  await kinds.get('words').verify(kindRequest(code, '../$x {code}'));
  expect((await run(kinds.get('words').launch(kindRequest(code, '../$x {code}')))).stdout).toBe(
    '../$x {code}\n',
  );
});

test.each([
  ['id: [', /^.*bad\.yaml:1: /],
  [manifest.replace('status: stable', 'status: fine'), /bad\.yaml:5: status: /],
  [manifest.replace('{bot}', '{bots}'), /bad\.yaml:7: argv\.2: may hold only \{entrypoint\}/],
  [`${manifest}colour: red\n`, /bad\.yaml:\d+: colour: there is no such field$/],
  [manifest.replace('displayName: Shell script\n', ''), /bad\.yaml:1: displayName: is missing$/],
  [manifest.replace('shell-file', 'nodejs20'), /bad\.yaml:1: the name nodejs20 is taken \(built in\)/],
  [manifest.replace('[sh]', '[cpp-gcc13]'), /the name cpp-gcc13 is taken/],
])('a broken manifest names file and line (%#)', async (text, problem) => {
  const kinds = await loadKinds(
    await manifests({ 'bad.yaml': text, 'good.yaml': manifest.replaceAll('sh', 'zz') }),
  );
  expect(kinds.broken.map(({ problems }) => problems)).toEqual([[expect.stringMatching(problem)]]);
  expect(kinds.all().at(-1)?.id).toBe('zzell-file');
  expect(kinds.get('nodejs20').source).not.toContain('bad.yaml');
});

test.each([
  ['id: [', ['bad']],
  ['id: "ruby" # and so on\nargv: [', ['ruby']],
  [manifest.replace('status: stable', 'status: fine'), ['shell-file']],
  [manifest.replace('shell-file', 'gcc13'), ['gcc13', 'sh']],
])('whose kind a broken manifest is can be told (%#)', async (text, names) => {
  const kinds = await loadKinds(await manifests({ 'bad.yaml': text }));
  expect(kinds.broken.map((manifest) => manifest.names)).toEqual([names]);
});

test('a manifest that cannot be read is left out as well', async () => {
  const options = await manifests({ 'big.yaml': `${manifest}${'#'.repeat(200_000)}` });
  await mkdir(join(options.manifestsDir, 'folder.yaml'));
  const { broken } = await loadKinds(options);
  expect(broken.flatMap(({ problems }) => problems)).toEqual([
    expect.stringMatching(/big\.yaml:1: it has 200\d+ bytes/),
    expect.stringMatching(/folder\.yaml:1: it cannot be read \(EISDIR\)/),
  ]);
});

describe('a lock beside a manifest', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const problems = async (lock: string, files: Record<string, string> = {}) => {
    const options = await manifests({ 'a.yaml': manifest, 'a.lock': lock, ...files });
    const { broken } = await loadKinds(options);
    return broken.flatMap(({ problems }) => problems.map((line) => line.replace(options.manifestsDir, '')));
  };

  test('is nothing to speak of where it holds', async () => {
    expect(await problems(`${sha256(manifest)}  a.yaml\n${sha256('x')} *tool\n\n`, { tool: 'x' })).toEqual(
      [],
    );
  });

  test.each([
    [`${sha256('other')}  a.yaml\n`, [`/a.lock:1: a.yaml has the SHA-256 ${sha256(manifest)}`]],
    [
      `${sha256('x')}  other\n`,
      ['/a.lock:1: other cannot be read (ENOENT)', '/a.lock:1: it does not name a.yaml'],
    ],
    [`${sha256(manifest)}  a.yaml\nnonsense\n`, ['/a.lock:2: it is not a line of sha256sum']],
    ['', ['/a.lock:1: it does not name a.yaml']],
  ])('leaves the kind out where it does not (%#)', async (lock, expected) => {
    expect(await problems(lock)).toEqual(expected);
  });

  test('is written by `runtime kinds lock`, and keeps what it named', async () => {
    const { manifestsDir } = await manifests({ 'a.yaml': manifest, tool: 'x' });
    const [file, tool] = [join(manifestsDir, 'a.yaml'), join(manifestsDir, 'tool')];
    expect(await printed({}, false, manifestsDir, ['lock', file, tool])).toBe(
      `${join(manifestsDir, 'a.lock')}\n`,
    );
    await writeFile(tool, 'y');
    expect((await loadKinds({ manifestsDir, allowExperimental: false })).broken).toHaveLength(1);
    await printed({}, false, manifestsDir, ['lock', 'a.yaml']);
    expect((await loadKinds({ manifestsDir, allowExperimental: false })).broken).toEqual([]);
    expect(execFileSync('sha256sum', ['-c', 'a.lock'], { cwd: manifestsDir, encoding: 'utf8' })).toBe(
      'a.yaml: OK\ntool: OK\n',
    );
  });
});

test('an experimental kind is refused unless it is allowed', async () => {
  const options = await manifests({ 'new.yml': manifest.replace('stable', 'experimental') });
  const request = kindRequest('/bot', 'bot');
  const refused = (await loadKinds(options)).get('sh');
  await expect(refused.launch(request)).rejects.toMatchObject({ exitCode: 77 });
  const allowed = (await loadKinds({ ...options, allowExperimental: true })).get('sh');
  expect((await allowed.launch(request)).argv[0]).toBe('/bin/sh');
});

test('middleware nests in the order of registration, around launch and verify, and is told of the outcome', async () => {
  const seen: string[] = [];
  const named = (name: string): KindMiddleware => ({
    launch: async (request, next, kind) => {
      seen.push(`${name} before ${kind.id}`);
      const launch = await next({ ...request, botId: `${request.botId} ${name}` });
      seen.push(`${name} after ${launch.argv[0]}`);
      return { ...launch, env: { ...launch.env, WHO: request.botId } };
    },
    verify: async (request, next) => {
      await next(request).catch((error: RuntimeError) => {
        seen.push(`${name} told ${error.code}`);
        throw error;
      });
    },
  });
  const kind = withMiddleware(python311, [named('outer'), {}, named('inner')]);
  expect((await kind.launch(kindRequest('/bot', 'main.py'))).env.WHO).toBe('bot-1');
  await expect(kind.verify(kindRequest('/bot', 'absent.py'))).rejects.toThrow('does not exist');
  expect(seen).toEqual([
    'outer before python3.11',
    'inner before python3.11',
    'inner after python3.11',
    'outer after python3.11',
    'inner told no-entrypoint',
    'outer told no-entrypoint',
  ]);
});

test('words in front of the command: those of the bot before those of the manifest', async () => {
  const { manifestsDir } = await manifests({
    'a.yaml': `${manifest}wrap: [env, "A={bot}"]\n`,
  });
  const code = await temporaryDirectory();
  await writeFile(join(code, 'bot'), 'echo "$A $B"');
  const options = { manifestsDir, allowExperimental: false, middleware: [wrap(['env', 'B=2'])] };
  const { argv, ...launch } = await (await loadKinds(options)).get('sh').launch(kindRequest(code, 'bot'));
  expect(argv.slice(0, 4)).toEqual(['env', 'B=2', 'env', 'A=bot-1']);
  expect((await run({ argv, ...launch })).stdout).toBe('bot-1 2\n');
});

async function printed(
  flags: { json?: boolean; markdown?: boolean; schema?: boolean },
  isTTY: boolean,
  manifestsDir: string,
  positionals: readonly string[] = [],
): Promise<string> {
  let text = '';
  const stdout = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    }),
    { isTTY },
  );
  const code = await kindsCommand.run({
    positionals,
    flags,
    env: { KINDS_PATH: manifestsDir },
    cwd: manifestsDir,
    stdin: process.stdin,
    stdout,
    stderr: process.stderr,
    hangup: new AbortController().signal,
    abandonStalled: () => undefined,
    commands: { name: '', summary: '', commands: {} },
  });
  expect(code).toBe(0);
  return text;
}

test('runtime kinds prints the catalog: a table, tabs in a pipe, JSON when asked', async () => {
  const { manifestsDir } = await manifests({ 'shell.yaml': manifest });
  await mkdir(join(manifestsDir, 'folder'));
  const json = JSON.parse(await printed({ json: true }, false, manifestsDir));
  expect(json.at(-1)).toEqual({
    id: 'shell-file',
    aliases: ['sh'],
    name: 'Shell script',
    description: 'A script for sh.',
    status: 'stable',
    footprint: 'nothing',
    source: [join(manifestsDir, 'shell.yaml')],
  });
  expect(await printed({}, true, manifestsDir)).toMatch(
    /^KIND +NAME +STATUS .*\npython3\.11 +Python 3\.11 +stable /,
  );
  expect((await printed({}, false, manifestsDir)).split('\n')[3]).toMatch(/^gcc13, cpp-gcc13\t/);
});

test('docs/kinds.md holds the printed catalog, and says something of every field of a manifest', async () => {
  const docs = readFileSync(join(import.meta.dirname, '../../../../docs/kinds.md'), 'utf8');
  expect(docs).toContain(await printed({ markdown: true }, false, '/'));
  const schema = JSON.parse(await printed({ schema: true }, false, '/')) as {
    properties: Record<string, { description?: string }>;
    required: string[];
  };
  expect(schema.required).toEqual(['id', 'displayName', 'description', 'argv']);
  const rows =
    docs
      .slice(docs.indexOf('## Kinds from manifests'))
      .match(/^\| `.*$/gm)
      ?.join('\n') ?? '';
  for (const [name, { description }] of Object.entries(schema.properties)) {
    expect(description, name).toBeTruthy();
    expect(rows).toContain(`\`${name}\``);
  }
});

test('every source file that the catalog names is there', async () => {
  for (const { source } of JSON.parse(await printed({ json: true }, false, '/')) as { source: string[] }[]) {
    for (const file of source) readFileSync(join(import.meta.dirname, '../../../..', file));
  }
});
