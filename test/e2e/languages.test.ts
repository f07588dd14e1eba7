import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { runContainer, startContainer } from '../support/container/container.ts';
import { containerBots } from '../support/container/containerBots.ts';
import { universalImage } from '../support/container/docker.ts';
import { hardened } from '../support/container/hardened.ts';
import { builtExample, filesOf, type Language } from '../support/process/builtExample.ts';
import { freePort } from '../support/process/freePort.ts';

const image = await universalImage();

interface Compiled {
  readonly language: Language;
  readonly kind: string;
  readonly entrypoint: string;
  /** Of the container, when the bot is stopped: a program that handles SIGTERM ends as it likes. */
  readonly exit: number;
}

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
    const { kind, entrypoint, exit } = bot;
    const port = await freePort();
    const env = {
      ...(await bots.deploy({
        kind,
        entrypoint,
        files: await filesOf(await builtExample(`${bot.language}-counter`, bot.language)),
      })),
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
      await using container = await startContainer({ image: image.tag, env, ...surroundings });
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

    const asked = await runContainer({ image: image.tag, env: { ...env, QUERY_PATH: '/status' } });
    expect(asked.exit, asked.stderr).toBe(0);
    const answer = JSON.parse(asked.stdout);
    expect(answer).toMatchObject({ status: 'ok', data: { runs: 2 } });
    expect(answer.data.ticks).toBeGreaterThanOrEqual(ticks);
  });
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
