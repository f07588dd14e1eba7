import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { runContainer, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { docker, targetImage, universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';
import { temporaryDirectory } from '../support/files/temporary.ts';
import {
  built,
  builtExample,
  dotnetFolder,
  filesOf,
  type Language,
} from '../support/process/builtExample.ts';
import { freePort } from '../support/process/freePort.ts';

const image = await universalImage();

interface Compiled {
  readonly language: Language;
  readonly kind: string;
  readonly entrypoint: string;
  /** Of the container, when the bot is stopped: a program that handles SIGTERM ends as it likes. */
  readonly exit: number;
}

const root = join(import.meta.dirname, '../..');

const compiled: readonly Compiled[] = [
  { language: 'rust', kind: 'rust-stable', entrypoint: 'bot', exit: 143 },
  { language: 'cpp', kind: 'gcc13', entrypoint: 'bot', exit: 0 },
  { language: 'scala', kind: 'scala3', entrypoint: 'app.jar', exit: 143 },
  { language: 'haskell', kind: 'ghc96', entrypoint: 'bot', exit: 0 },
];

// A compiler that is installed first takes its time.
describe.skipIf(image.missing !== undefined)('bots built from source', { timeout: 300_000 }, () => {
  let bots: Awaited<ReturnType<typeof containerBots>>;
  beforeAll(async () => {
    bots = await containerBots(inject('minio'));
  });

  test.each(compiled)('$language: goes on where it was stopped, and answers all the time', async (bot) => {
    const folder = await builtExample(`${bot.language}-counter`, bot.language);
    await goesOn(image.tag, bot, await filesOf(folder));
  });

  // dotnet8 needs .NET 8, which no registry has; the kind starts `dotnet` the same way. The example's source, another build.
  test('csharp: so does one on .NET Core 3.1, in an image made with DOTNET_IMAGE', async () => {
    const source = 'FROM debian:bookworm-slim\nCOPY . /usr/share/dotnet\n';
    const tag = `runtime-test:${randomUUID()}`;
    const dockerfile = join(await temporaryDirectory(), 'Dockerfile');
    await writeFile(dockerfile, source);
    await docker('build', '--quiet', '--force-rm', '--tag', tag, '--file', dockerfile, await dotnetFolder());
    onTestFinished(async () => void (await docker('image', 'rm', '--force', tag)));
    const dotnet = await targetImage('dotnet', 'x64', { DOTNET_IMAGE: tag });
    const folder = await built(
      [join(root, 'examples/dotnet-counter'), join(root, 'test/fixtures/csharp')],
      'csharp',
    );
    const bot = { language: 'csharp', kind: 'dotnet8', entrypoint: 'Counter.dll', exit: 143 } as const;
    await goesOn(dotnet, bot, await filesOf(folder));
  });

  /** Runs the bot twice, asks it all the time, and once more when it is stopped. */
  async function goesOn(tag: string, bot: Compiled, files: Record<string, Buffer>): Promise<void> {
    const { kind, entrypoint, exit } = bot;
    const port = await freePort();
    const env = {
      ...(await bots.deploy({ kind, entrypoint, files })),
      BOT_TYPE: 'realtime',
      QUERY_ENTRYPOINT: entrypoint,
      QUERY_PORT: String(port),
    };
    const tmpfs = hardened.tmpfs?.map((path) => (path === '/bot' ? '/bot:exec' : path)) ?? [];
    let ticks = 0;
    for (const [run, surroundings] of [
      [1, {}],
      [2, { ...hardened, tmpfs }],
    ] as const) {
      await using container = await startContainer({ image: tag, env, ...surroundings });
      await container.waitForOutput(`run ${run}, from tick `);
      const seen = await askUntil(port, (counter) => counter.ticks > ticks);
      expect(seen.runs).toBe(run);
      const before = ticks;
      ticks = seen.ticks;
      await container.stop(30);
      const ended = await container.ended();
      expect(ended.exit, ended.stderr).toBe(exit);
      expect(Number(/from tick (\d+)/.exec(ended.stdout)?.[1])).toBeGreaterThanOrEqual(before);
      if (run === 1) expect(ended.exitRecord).toMatchObject({ source: 'bot', exit, stateSaved: true });
    }

    const asked = await runContainer({ image: tag, env: { ...env, QUERY_PATH: '/status' } });
    expect(asked.exit, asked.stderr).toBe(0);
    const answer = JSON.parse(asked.stdout);
    expect(answer).toMatchObject({ status: 'ok', data: { runs: 2 } });
    expect(answer.data.ticks).toBeGreaterThanOrEqual(ticks);
  }
});

interface Counter {
  readonly runs: number;
  readonly ticks: number;
}

/** Asks the bot's query server until an answer holds; one that never does ends the test. */
async function askUntil(port: number, holds: (counter: Counter) => boolean): Promise<Counter> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined);
    const answer = (await response?.json()) as { readonly data?: Counter } | undefined;
    if (answer?.data !== undefined && holds(answer.data)) return answer.data;
    await sleep(100);
  }
}
