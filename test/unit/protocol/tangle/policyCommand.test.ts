import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../support/files/temporary.ts';
import { invoke } from '../../../support/process/invoke.ts';

test('a policy is shown in its own words, for the main key and for another', async () => {
  const path = join(await temporaryDirectory(), 'policy.yaml');
  writeFileSync(
    path,
    'default: {resources: {cpuCores: 0.5}}\nkeys: {readers: {tools: [files], files: [/workspace]}}',
  );
  const { stdout } = await invoke(['serve', 'policy', path]);
  expect(JSON.parse(stdout)).toMatchObject({
    egress: 'internet',
    resources: { cpuCores: 0.5, memoryMB: 8192, diskGB: 20, maxLifetimeSeconds: 172_800, sandboxes: 100 },
    rates: { writes: 1200 },
  });
  // What is shown is a policy again.
  writeFileSync(path, JSON.stringify({ default: JSON.parse(stdout) }));
  expect((await invoke(['serve', 'policy', path])).stdout).toBe(stdout);
  writeFileSync(path, 'keys: {readers: {tools: [files], files: [/workspace]}}');
  const readers = JSON.parse((await invoke(['serve', 'policy', path, 'readers'])).stdout);
  expect(readers).toMatchObject({ tools: ['files'], files: ['/workspace'], resources: { cpuCores: 4 } });
});

test('a policy that cannot be used is said by the command, and by a server before it makes anything', async () => {
  const dir = await temporaryDirectory();
  const path = join(dir, 'policy.yaml');
  writeFileSync(path, 'default: {egress: nowhere}');
  const wrong = { exitCode: 78, problems: [expect.stringContaining('default.egress')] };
  await expect(invoke(['serve', 'policy', path])).rejects.toMatchObject(wrong);
  const data = join(dir, 'data');
  await expect(invoke(['serve', '--policy', path, '--data', data])).rejects.toMatchObject(wrong);
  expect(existsSync(data)).toBe(false);
  await expect(invoke(['serve', 'policy', join(dir, 'none')])).rejects.toMatchObject({ exitCode: 78 });
});
