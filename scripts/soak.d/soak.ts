import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '../../test/support/faultProxy.ts';
import { startMinio } from '../../test/support/minio.ts';
import { readSaved } from '../../test/support/readSaved.ts';
import { roleOf } from '../../test/support/roleOf.ts';
import { anonymousMiB } from '../bench.d/lib.ts';
import { accountFor } from './accountFor.ts';
import { soakBot } from './bot.ts';
import { startChaos } from './chaos.ts';
import { seeded } from './random.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

const runtime = join(import.meta.dirname, '..', '..', 'dist', 'runtime');
const BOT = 'soak';
/** A life ends by SIGTERM after this long, seconds; half of them on new directories. */
const LIFE_SECONDS = 12;

/** Runs a bot through many lives with faults at random. What was lost, or came twice, is in `problems`. */
export async function soak({ minutes, seed, print }: SoakOptions): Promise<{ problems: string[] }> {
  const random = seeded(seed);
  const work = mkdtempSync(join(tmpdir(), 'soak-'));
  const minio = await startMinio();
  const proxy = await startFaultProxy(minio.port);
  let current: ChildProcess | undefined;
  const chaos = startChaos(proxy, random, () => current?.pid);
  const problems: string[] = [];
  const printed: string[] = [];
  const endsAt = Date.now() + minutes * 60_000;
  let place = 0;
  let saved = 0;
  try {
    for (let life = 1; life === 1 || Date.now() < endsAt; life += 1) {
      const child = start(work, place, life, { ...minio.env(), MINIO_ENDPOINT: `127.0.0.1:${proxy.port}` });
      current = child;
      let output = '';
      child.stdout!.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
      const ended = once(child, 'close');
      const lifeMs = Math.min(LIFE_SECONDS * 1000, Math.max(2000, endsAt - Date.now()));
      await Promise.race([sleep(lifeMs * (0.5 + random() / 2)), ended]);
      print(memoryLine(life, child.pid!));
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      const lines = output.split('\n').filter((line) => line !== '');
      printed.push(...lines);
      const began = /^begin (\d+)$/.exec(lines[0] ?? '')?.[1];
      if (began === undefined && code !== 69)
        problems.push(`life ${life} ended with ${code} and did not begin`);
      if (began !== undefined && Number(began) < saved) {
        problems.push(`life ${life} began at ${began}, and ${saved} was saved before`);
      }
      if (code === 0) {
        saved = Number(await readSaved(minio, BOT, 'count'));
        const last = readFileSync(join(work, String(place), 'state', 'count'), 'utf8').trim();
        if (saved !== Number(last)) problems.push(`life ${life} ended at ${last}, and ${saved} is saved`);
        // Only where all is saved may the directories go, as those of a container do.
        if (random() < 0.5) place += 1;
      } else if (code !== 74 && code !== 69) problems.push(`life ${life} ended with ${code}`);
    }
    await chaos.stop();
    print(`${printed.length} lines; ${chaos.struck()} requests struck, ${chaos.kills()} daemons killed`);
    // Whatever the last life could not ship, a quiet one does.
    const last = start(work, place, 0, { ...minio.env(), ENTRYPOINT: 'true' });
    await once(last, 'close');
    problems.push(...(await accountFor(minio.client, BOT, printed)));
  } finally {
    await chaos.stop();
    current?.kill('SIGKILL');
    await proxy.close();
    await minio.stop();
    rmSync(work, { recursive: true, force: true });
  }
  return { problems };
}

function start(work: string, place: number, life: number, env: Record<string, string>): ChildProcess {
  const dir = join(work, String(place));
  return spawn(runtime, ['execute'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH,
      BOT_ID: BOT,
      BOT_USER: 'none',
      RUNTIME: 'command',
      ENTRYPOINT: soakBot,
      GAP: '0.02',
      LIFE: String(life),
      CODE_PATH: join(dir, 'bot'),
      STATE_PATH: join(dir, 'state'),
      LOGS_PATH: join(dir, 'the0', 'logs'),
      SYNC_INTERVAL: '1s',
      START_TIMEOUT: '30s',
      ...env,
    },
  });
}

function memoryLine(life: number, supervisor: number): string {
  const daemon = roleOf(supervisor, 'daemon');
  const of = (pid: number | undefined) => {
    try {
      return pid === undefined ? 'none' : `${anonymousMiB(pid).toFixed(1)} MiB`;
    } catch {
      return 'gone';
    }
  };
  return `life ${life}: supervisor ${of(supervisor)}, daemon ${of(daemon)}`;
}
