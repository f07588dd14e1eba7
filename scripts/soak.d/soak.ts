import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/process/freePort.ts';
import { startFaultProxy } from '../../test/support/store/faultProxy.ts';
import { startMinio } from '../../test/support/store/minio.ts';
import { readSaved } from '../../test/support/store/readSaved.ts';
import { accountFor, type Said } from './accountFor.ts';
import { startAsking } from './asking.ts';
import { startChaos } from './chaos.ts';
import { BOT, countIn, type End, type Life, startLife } from './life.ts';
import { watchMemory } from './memory.ts';
import { seeded } from './random.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

/** A life ends after half of this to all of it, milliseconds. */
const LIFE_MS = 12_000;
/** The last life is a long one, in which nobody is killed, so that memory can be followed: this part of the time. */
const LONG_PART = 0.35;
/** A life of this length has had its queries answered, whoever was killed meanwhile; on a busy machine it gets this much more for it. */
const ANSWERED_MS = 5000;
const PATIENCE_MS = 30_000;

/** Runs a bot through many lives with faults at random. What was lost, or came twice, is in `problems`. */
export async function soak({ minutes, seed, print }: SoakOptions): Promise<{ problems: string[] }> {
  const random = seeded(seed);
  const work = mkdtempSync(join(tmpdir(), 'soak-'));
  const minio = await startMinio();
  const proxy = await startFaultProxy(minio.port);
  const queryPort = await freePort();
  const env = { ...minio.env(), MINIO_ENDPOINT: `127.0.0.1:${proxy.port}`, QUERY_PORT: String(queryPort) };
  let current: Life | undefined;
  const chaos = startChaos(proxy, random, () => current?.child.pid);
  const problems: string[] = [];
  const said: Said[] = [];
  const longMs = minutes * 60_000 * LONG_PART;
  const shortUntil = Date.now() + minutes * 60_000 - longMs;
  const ends = new Map<End, number>();
  let queries = { answered: 0, failed: 0 };
  let place = 0;
  try {
    for (let number = 1, long = false; !long; number += 1) {
      long = Date.now() >= shortUntil;
      const dir = join(work, String(place));
      const expected = Math.max(countIn(dir), Number(await readSaved(minio, BOT, 'count')) || 0);
      const life = startLife({ dir, number, env });
      current = life;
      const asking = startAsking(queryPort);
      const lifeMs = Math.min(LIFE_MS, Math.max(2000, shortUntil - Date.now())) * (0.5 + random() / 2);
      if (long) {
        chaos.spare();
        await Promise.race([sleep(Math.min(4000, longMs / 4)), life.ended]);
        problems.push(...(await watchMemory(life.child.pid!, longMs, print)));
      } else await Promise.race([sleep(lifeMs), life.ended]);
      if (lifeMs > ANSWERED_MS) await Promise.race([asking.first, sleep(PATIENCE_MS), life.ended]);
      await asking.stop();
      const how: End = long ? 'stopped' : chooseEnd(random());
      const { code, left } = await life.end(how);
      ends.set(how, (ends.get(how) ?? 0) + 1);
      const lines = life.lines();
      said.push({ lines, killed: how !== 'stopped' });
      queries = { answered: queries.answered + asking.answered, failed: queries.failed + asking.failed };

      const problem = (what: string) => problems.push(`life ${number} (${how}, ${code}) ${what}`);
      asking.wrong.forEach(problem);
      if (left.length > 0) problem(`left ${left.length} processes`);
      const began = /^begin (\d+)$/.exec(lines[0] ?? '')?.[1];
      if (began === undefined && how === 'stopped' && code !== 69 && code !== 143) problem('did not begin');
      if (began !== undefined && Number(began) !== expected)
        problem(`began at ${began} instead of ${expected}`);
      if (began !== undefined && lifeMs > ANSWERED_MS && asking.answered === 0) problem('answered no query');
      if (how === 'stopped' && ![0, 69, 74, 143].includes(code ?? -1)) problem('ended so');
      if (code === 0) {
        const saved = await readSaved(minio, BOT, 'count');
        if (Number(saved) !== countIn(dir)) problem(`ended at ${countIn(dir)}, and ${saved.trim()} is saved`);
        // Only where all is saved may the directories go, as those of a container do.
        if (random() < 0.5) place += 1;
      }
    }
    await chaos.stop();
    const count = said.reduce((sum, { lines }) => sum + lines.length, 0);
    print(`lives: ${[...ends].map(([how, times]) => `${how} ${times}`).join(', ')}`);
    print(`killed besides: ${chaos.kills()}`);
    print(`${queries.answered} queries answered, ${queries.failed} not (nobody there, or 502)`);
    print(`${count} lines; ${chaos.struck()} requests struck`);
    // Whatever the last life could not ship, a quiet one does.
    const quiet = { ...minio.env(), QUERY_PORT: '0', ENTRYPOINT: 'true' };
    await startLife({ dir: join(work, String(place)), number: 0, env: quiet }).ended;
    problems.push(...(await accountFor(minio.client, BOT, said)));
  } finally {
    await chaos.stop();
    await current?.end('container killed');
    await proxy.close();
    await minio.stop();
    rmSync(work, { recursive: true, force: true });
  }
  return { problems };
}

function chooseEnd(random: number): End {
  if (random < 0.4) return 'stopped';
  return random < 0.7 ? 'supervisor killed' : 'container killed';
}
