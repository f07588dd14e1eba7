import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { anonymousMiB, median } from './lib.ts';

/** What a command costs, with everything that it starts and leaves running. */
export interface Cost {
  /** Until the command itself has ended. */
  readonly seconds: number;
  /** Of it and all its descendants, also of those that end after it. */
  readonly cpuSeconds: number;
  /** Of the watched process that had the most, sampled every 20 ms; 0 where none is watched. */
  readonly peakAnonymousMiB: number;
  readonly uploadedBytes: number;
  /** From our start to the bot's; NaN for others. */
  readonly untilBotSeconds: number;
}

/** Orphans become children of this (prctl 36: PR_SET_CHILD_SUBREAPER), so that their CPU time is seen as well. */
const REAPER = `
import ctypes, os, resource, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
began = time.monotonic()
code = subprocess.Popen(sys.argv[1:]).wait()
seconds = time.monotonic() - began
try:
    while True: os.wait()
except ChildProcessError: pass
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print('COST', seconds, used.ru_utime + used.ru_stime, file=sys.stderr)
sys.exit(code)
`;

/**
 * Runs `before`, then the command. `watched`: the executable whose processes' memory is looked at, which slows them down
 * and takes half a core: no time is worth comparing then.
 */
export async function costOf(
  command: readonly string[],
  env: Record<string, string | undefined>,
  { before, watched }: { readonly before?: readonly string[]; readonly watched?: string } = {},
): Promise<Cost> {
  if (before) execFileSync(before[0]!, before.slice(1), { env, stdio: 'ignore' });
  const child = spawn('/usr/bin/python3', ['-c', REAPER, ...command], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  let peakAnonymousMiB = 0;
  const sampler = setInterval(() => {
    for (const pid of watched === undefined ? [] : processesOf(watched)) {
      try {
        peakAnonymousMiB = Math.max(peakAnonymousMiB, anonymousMiB(pid));
      } catch {
        // It has ended meanwhile.
      }
    }
  }, 20);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(sampler);
  const cost = /^COST (\S+) (\S+)$/m.exec(stderr);
  if (code !== 0 || !cost) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}`);
  const uploaded = [...stderr.matchAll(/"uploadedBytes":(\d+)/g)].map((match) => Number(match[1]));
  return {
    seconds: Number(cost[1]),
    cpuSeconds: Number(cost[2]),
    peakAnonymousMiB,
    uploadedBytes: uploaded.reduce((a, b) => a + b, 0),
    untilBotSeconds: Number(/"bot may run","sinceStartMs":([\d.]+)/.exec(stderr)?.[1]) / 1000,
  };
}

export function describeCosts(costs: readonly Cost[]): string {
  const of = (key: keyof Cost) => median(costs.map((cost) => cost[key]));
  const bot = of('untilBotSeconds');
  return [
    `${of('seconds').toFixed(2)} s`,
    ...(Number.isNaN(bot) ? [] : [`${bot.toFixed(2)} s until the bot runs`]),
    `${of('cpuSeconds').toFixed(2)} s CPU`,
    ...(of('uploadedBytes') > 0 ? [`${(of('uploadedBytes') / 1024).toFixed(0)} KiB sent`] : []),
  ].join(', ');
}

/** The processes that run this executable. */
function processesOf(executable: string): number[] {
  // It exits with 1 when there is none.
  const { stdout } = spawnSync('pgrep', ['-f', `^${executable} `], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
}
