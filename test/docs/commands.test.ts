import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { universalImage } from '../support/container/docker.ts';
import { blocksOf, scriptOf } from '../support/docs/page.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import { minioEnv, startMinio } from '../support/store/minio.ts';

const root = join(import.meta.dirname, '../..');

/** Every line of the documentation that no test runs, and why. */
const notRun = [
  { line: /^(\.\/)?scripts\/test/, why: 'it is what runs this test' },
  { line: /^(\.\/)?scripts\/(bench|soak)/, why: 'minutes to hours; prints figures' },
  {
    line: /^(\.\/)?scripts\/image\b|^\S+ scripts\/image/,
    why: 'made before, under the name of this run; test/e2e makes the others',
  },
  {
    line: /\/etc\/runtime\/bots|^until runtime bots ls; do/,
    why: 'of the whole machine; README and tutorial run a host',
  },
  { line: /^(\.\/)?scripts\/release-gestalt/, why: 'test/protocol makes and tries the package' },
  { line: /^npm run check|^scripts\/ruff/, why: 'of the checkout, and scripts/test does it' },
];

/** What runs until it is stopped. */
const endless = [/--watch/, /^curl -N/];

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

const withStore = new Set(['docs/recipes.md', 'docs/operations.md']);
/** A store that containers reach too. */
const withOpenStore = new Set(['README.md']);
const withImage = new Set([
  'README.md',
  'docs/tutorial.md',
  'docs/recipes.md',
  'docs/operations.md',
  'docs/hosts.md',
]);

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'examples/README.md',
  ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const blocks = new Map<string, ReturnType<typeof blocksOf>>();
for (const page of pages) blocks.set(page, blocksOf(await readFile(join(root, page), 'utf8')));

let tag = '';
beforeAll(async () => {
  const image = await universalImage();
  tag = image.tag;
  if (image.missing) throw new Error(`no Docker Engine: ${image.missing}`);
}, 600_000);

test('no rule is left of a command that is gone', () => {
  const lines = [...blocks.values()].flat().flatMap(({ commands }) => commands.split('\n'));
  for (const rule of [...notRun.map(({ line }) => line), ...endless])
    expect(
      lines.some((line) => rule.test(line)),
      String(rule),
    ).toBe(true);
  for (const page of [...Object.keys(before), ...withStore, ...withOpenStore, ...withImage])
    expect(blocks.get(page)?.length, page).toBeGreaterThan(0);
});

const typed = pages.filter((page) => blocks.get(page)!.length > 0);

test.for(typed)('every command of %s', { timeout: 300_000 }, async (page) => {
  const dir = await checkout();
  const open = withOpenStore.has(page) ? await startMinio({ address: '0.0.0.0', quiet: true }) : undefined;
  if (open) onTestFinished(open.stop);
  const script = `${before[page] ?? ''}\n${scriptOf(blocks.get(page)!, { notRun, endless })}`;
  const env = {
    PATH: `${join(root, 'dist')}:${process.env.PATH}`,
    HOME: process.env.HOME,
    RUNTIME_IMAGE: tag,
    ...(withStore.has(page) ? minioEnv(inject('minio')) : {}),
    ...(open ? minioEnv(open) : {}),
  };
  const { code, output } = await bash(
    withImage.has(page) ? script.replaceAll('runtime:universal', tag) : script,
    env,
    dir,
  );
  expect(code, output).toBe(0);
});

test('negative control: a command that fails, fails its page', async () => {
  const wrong = blocksOf('```sh\nruntime state ls nobody-of-that-name\necho not reached\n```\n');
  const env = {
    PATH: `${join(root, 'dist')}:${process.env.PATH}`,
    STORE_URL: `file://${await temporaryDirectory()}`,
  };
  const { code, output } = await bash(scriptOf(wrong, { notRun, endless }), env, await temporaryDirectory());
  expect(code).toBe(66);
  expect(output).not.toContain('not reached');
});

/** What a reader has in front of him: the examples, the scripts and the executable of this checkout, in an empty folder. */
async function checkout(): Promise<string> {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'scripts'));
  for (const entry of await readdir(join(root, 'scripts'), { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.includes('.')) continue;
    const script = join(dir, 'scripts', entry.name);
    await writeFile(script, `#!/bin/sh\nexec ${join(root, 'scripts', entry.name)} "$@"\n`);
    await chmod(script, 0o755);
  }
  // Bots are other users.
  await chmod(dir, 0o755);
  await symlink(join(root, 'dist'), join(dir, 'dist'));
  await cp(join(root, 'examples'), join(dir, 'examples'), { recursive: true });
  return dir;
}

async function bash(
  script: string,
  env: Record<string, string | undefined>,
  cwd: string,
): Promise<{ code: number | null; output: string }> {
  const child = spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
