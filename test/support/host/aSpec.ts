import type { BotSpec, ScheduleSpec } from '../../../src/host/bots/botSpec.ts';

/** A specification with the usual values. */
export function aSpec(changes: Partial<BotSpec> = {}): BotSpec {
  return {
    name: 'momentum',
    type: 'realtime',
    runtime: 'python3.11',
    code: { file: 'sma/code.zip', sha256: undefined },
    entrypoints: { bot: 'main.py', query: undefined },
    config: '{}',
    task: undefined,
    enabled: true,
    schedule: undefined,
    resources: {
      memoryBytes: 512 * 1024 ** 2,
      cpuMillis: 500,
      cpuLimit: false,
      pids: 256,
      diskBytes: 2 * 1024 ** 3,
    },
    restart: { policy: 'on-failure', firstMs: 1_000, longestMs: 300_000, resetMs: 600_000 },
    stopTimeoutMs: 30_000,
    egress: 'internet',
    secrets: [],
    env: {},
    labels: {},
    ...changes,
  };
}

export function aSchedule(changes: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return {
    cron: '*/10 * * * *',
    timeZone: 'UTC',
    missed: 'once',
    withinMs: undefined,
    overlap: 'skip',
    spreadMs: 0,
    deadlineMs: undefined,
    ...changes,
  };
}

export const scheduled = (
  name: string,
  schedule: Partial<ScheduleSpec> = {},
  changes: Partial<BotSpec> = {},
) => aSpec({ name, type: 'scheduled', schedule: aSchedule(schedule), ...changes });
