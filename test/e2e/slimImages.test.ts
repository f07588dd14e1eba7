import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { targetImage, universalImage } from '../support/container/docker.ts';
import { builtExample, filesOf } from '../support/process/builtExample.ts';

const { missing } = await universalImage();

// Each is built first.
describe.skipIf(missing !== undefined)('slim images', { timeout: 300_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  test.each([
    { target: 'python', kind: 'python3.11', entrypoint: 'main.py', example: 'python-counter' },
    { target: 'node', kind: 'nodejs20', entrypoint: 'main.js', example: 'node-counter' },
  ])('$target runs a bot of its kind twice', async ({ target, kind, entrypoint, example }) => {
    const image = await targetImage(target);
    const files = await filesOf(join(import.meta.dirname, '../../examples', example));
    const env = await bots.deploy({ kind, entrypoint, files, config: { step: 1 } });
    const lives = [];
    for (let life = 0; life < 2; life += 1) lives.push(await runContainer({ image, env }));
    expect(lives.map(({ exit, stdout }) => [exit, stdout])).toEqual([
      [0, `${env.BOT_ID}: run number 1\n`],
      [0, `${env.BOT_ID}: run number 2\n`],
    ]);
  });

  // Haskell's programs need the most libraries of the compiled ones.
  test.each([
    { target: 'native', kind: 'ghc96', entrypoint: 'bot', language: 'haskell' },
    { target: 'java', kind: 'scala3', entrypoint: 'app.jar', language: 'scala' },
  ] as const)('$target asks a bot of its kind', async ({ target, kind, entrypoint, language }) => {
    const image = await targetImage(target);
    const files = await filesOf(await builtExample(`${language}-counter`, language));
    const env = await bots.deploy({ kind, entrypoint, files });
    const asked = await runContainer({ image, env: { ...env, QUERY_PATH: '/status' } });
    expect(asked.exit, asked.stderr).toBe(0);
    expect(JSON.parse(asked.stdout)).toEqual({ status: 'ok', data: { runs: 0, ticks: 0 } });
  });

  test('every target of the Dockerfile but those that need .NET is tried here or in a file of its own', async () => {
    const dockerfile = await readFile(join(import.meta.dirname, '../../images/Dockerfile'), 'utf8');
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage = '']) => stage);
    const targets = stages.filter((stage) => !/^base$|-files$|-kinds$/.test(stage)).sort();
    expect(targets).toEqual(['agent', 'dotnet', 'java', 'native', 'node', 'python', 'universal']);
  });
});
