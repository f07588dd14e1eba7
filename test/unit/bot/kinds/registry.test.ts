import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
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
  expect(kinds.ids()).toEqual([
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

test('an unknown kind gets a suggestion and the known ones', async () => {
  const kinds = await loadKinds({ manifestsDir: '/nowhere', allowExperimental: false });
  expect(() => kinds.get('Pyton3.11')).toThrow(
    expect.objectContaining({
      exitCode: 78,
      hint: expect.stringMatching(
        /^did you mean python3\.11\? known: python3\.11, nodejs20, .*, python-code$/,
      ),
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
  [`${manifest}colour: red\n`, /bad\.yaml:\d+: colour: /],
  [manifest.replace('displayName: Shell script\n', ''), /bad\.yaml:1: displayName: /],
  [manifest.replace('shell-file', 'nodejs20'), /bad\.yaml:1: the name nodejs20 is taken \(built in\)/],
  [manifest.replace('[sh]', '[cpp-gcc13]'), /the name cpp-gcc13 is taken/],
])('a broken manifest names file and line (%#)', async (text, problem) => {
  await expect(
    loadKinds(await manifests({ 'bad.yaml': text, 'good.yaml': manifest.replaceAll('sh', 'zz') })),
  ).rejects.toMatchObject({
    exitCode: 78,
    problems: [expect.stringMatching(problem)],
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

async function printed(flags: { json?: boolean }, isTTY: boolean, manifestsDir: string): Promise<string> {
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
    positionals: [],
    flags,
    env: { KINDS_PATH: manifestsDir },
    cwd: '/',
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
