import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { universalImage } from '../support/container/docker.ts';
import { checkout } from '../support/docs/checkout.ts';
import { endless, isNotRun, listNotRun, notRun } from '../support/docs/notRun.ts';
import { ownParts } from '../support/docs/ownParts.ts';
import { blocksOf, scriptOf } from '../support/docs/page.ts';
import { type Ran, runPage } from '../support/docs/runPage.ts';
import { notShown } from '../support/docs/shown.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { minioEnv, startMinio } from '../support/store/minio.ts';

const root = join(import.meta.dirname, '../..');

/** What a page takes for granted, as its reader has it. */
const before: Readonly<Record<string, string>> = {
  'docs/troubleshooting.md': 'runtime init my-bot',
  'docs/operations.md': `
runtime init saved
export BOT_ID=my-bot RUNTIME=command ENTRYPOINT='mkdir -p $STATE_DIR; echo 1 > $STATE_DIR/n' CODE_PATH=$PWD/code STATE_PATH=$PWD/state LOGS_PATH=$PWD/the0/logs
mkdir code; runtime execute
env | grep -E '^MINIO_|^RUNTIME=|^ENTRYPOINT|^BOT_ID' > bot.env`,
  'docs/queries.md': `
runtime init my-bot
sed -i 's/scheduled$/realtime/; s/^# .*//' my-bot/bot.yaml
sed -i 's#path == "/status"#path == "/portfolio"#' my-bot/query.py
sed -i '/print(f/a\\    import time; time.sleep(600)' my-bot/main.py
runtime execute my-bot &
until runtime query http://127.0.0.1:9476 /portfolio; do sleep 1; done
tar -C my-bot -czf code.tar.gz main.py query.py
export BOT_ID=my-bot RUNTIME=python3.11 QUERY_ENTRYPOINT=query.py CODE_PATH=$PWD/my-bot STATE_PATH=$PWD/state LOGS_PATH=$PWD/the0/logs STORE_URL=file://$PWD/my-bot/.runtime/store`,
};

/** What a page has to have left behind. */
const after: Readonly<Record<string, string>> = {
  'docs/images.md': 'docker image rm runtime:universal-registry-runtime-1.2',
  'docs/gestalt.md':
    'tar -tf dist/gestalt/*.tar.gz | grep -x manifest.yaml; test -s dist/gestalt/provider-release.yaml',
};

/** MinIO as the page's reader has it: `loopback`, or `open` where containers of a bridge ask it too. */
const store: Readonly<Record<string, 'loopback' | 'open'>> = {
  'docs/hosts.md': 'open',
  'docs/operations.md': 'loopback',
  'docs/recipes.md': 'loopback',
};

const needsEngine = new Set([
  'README.md',
  'docs/hosts.md',
  'docs/images.md',
  'docs/operations.md',
  'docs/recipes.md',
  'docs/sandboxes.md',
  'docs/tutorial.md',
]);

const names = [
  'README.md',
  'CONTRIBUTING.md',
  'examples/README.md',
  ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const pages = new Map<string, ReturnType<typeof blocksOf>>();
for (const name of names) {
  const blocks = blocksOf(await readFile(join(root, name), 'utf8'));
  if (blocks.length > 0) pages.set(name, blocks);
}

const image = await universalImage();

test('what is not run is listed, and no rule is left of a command that is gone', () => {
  const listed = listNotRun(pages);
  console.log(
    `commands of the documentation that are not run:\n${listed.map((line) => `  ${line}`).join('\n')}`,
  );
  for (const rule of notRun)
    expect(
      listNotRun(pages).some((line) => line.endsWith(`: ${rule.why}`)),
      rule.why,
    ).toBe(true);
  const lines = [...pages.values()].flat().flatMap(({ commands }) => commands.split('\n'));
  for (const rule of endless)
    expect(
      lines.some((line) => rule.test(line)),
      String(rule),
    ).toBe(true);
  for (const page of [...Object.keys({ ...before, ...after, ...store }), ...needsEngine])
    expect(pages.has(page), page).toBe(true);
});

for (const page of pages.keys()) {
  test.skipIf(needsEngine.has(page) && image.missing !== undefined)(
    `every command of ${page}`,
    { timeout: 900_000 },
    async () => {
      const { code, output } = await typed(page);
      expect(code, output).toBe(0);
      expect(notShown(page, output), output).toBeUndefined();
    },
  );
}

test('negative control: a command that fails, fails its page, and what follows it does not run', async () => {
  const wrong = blocksOf('```sh\nruntime execute nothing-here\necho not reached\n```\n');
  const { code, output } = await typed('CONTRIBUTING.md', wrong);
  expect(code).toBe(66);
  expect(output).toContain('line 1');
  expect(output).not.toContain('not reached');
});

test('negative control: what is to run until it is stopped and ends with an error, fails its page', async () => {
  const wrong = blocksOf('```sh\nruntime execute nothing-here --watch\necho not reached\n```\n');
  // Long after it has ended by itself.
  const { code, output } = await typed('CONTRIBUTING.md', wrong, 600);
  expect(code).toBe(66);
  expect(output).not.toContain('not reached');
});

/** Runs a page, or other commands in its place, as its reader would, in a folder and with parts of the machine of its own. */
async function typed(page: string, blocks = pages.get(page)!, stopAfter?: number): Promise<Ran> {
  const dir = await temporaryDirectory();
  const own = await ownParts(dir, image.tag);
  await checkout(dir, { suffix: own.suffix, image: image.tag });
  const all = [
    { line: 0, commands: before[page] ?? '' },
    ...blocks,
    { line: Number.POSITIVE_INFINITY, commands: after[page] ?? '' },
  ];
  const script = own.replaced(
    scriptOf(all, { endless, isNotRun: (line) => isNotRun(page, line), stopAfter }),
  );
  const env = {
    ...Object.fromEntries(
      ['HOME', 'XDG_CACHE_HOME', 'TMPDIR', 'DOCKER_HOST'].map((name) => [name, process.env[name]]),
    ),
    PATH: `${join(dir, 'dist')}:${process.env.PATH}`,
    ...own.env,
    ...(await storeOf(page)),
  };
  return await runPage(script, env, dir);
}

async function storeOf(page: string): Promise<Record<string, string>> {
  if (store[page] === undefined) return {};
  if (store[page] === 'loopback') return minioEnv(inject('minio'));
  const open = await startMinio({ address: '0.0.0.0', quiet: true });
  onTestFinished(open.stop);
  return minioEnv(open);
}
