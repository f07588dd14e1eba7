import { setTimeout as pause } from 'node:timers/promises';
import type { Invocation } from '../../../base/command/command.ts';
import { writeJson } from '../../../base/command/output.ts';
import type { BotView, HostStatus } from '../../api/hostApi.ts';
import { type Asked, askingCommand } from './ask.ts';

const LOOK_EVERY_MS = 500;

export const drain = askingCommand(
  {
    name: 'drain',
    summary: 'stop every bot in order and start none, until `resume`',
    positionals: '',
    options: { wait: { type: 'boolean', description: 'until all have ended' } },
  },
  async (asked) => {
    const { host, invocation } = asked;
    await host.send('POST', '/drain');
    if (invocation.flags.wait) await untilAllHaveEnded(asked);
    say(invocation, { draining: true }, 'drained: `runtime bots resume` starts them again');
  },
);

export const resume = askingCommand(
  { name: 'resume', summary: 'start bots again after a drain', positionals: '' },
  async ({ host, invocation }) => {
    await host.send('POST', '/resume');
    say(invocation, { draining: false }, 'bots are started again');
  },
);

export const confirm = askingCommand(
  {
    name: 'confirm',
    summary: 'believe a source that wants fewer than half of what ran, and let held changes continue',
    positionals: '',
  },
  async ({ host, invocation }) => {
    await host.send('POST', '/confirm');
    say(invocation, { confirmed: true }, 'confirmed');
  },
);

function say({ stdout, flags }: Invocation, value: object, text: string): void {
  if (flags.json) writeJson(stdout, value);
  else stdout.write(`${text}\n`);
}

async function untilAllHaveEnded({ host, invocation, signal }: Asked): Promise<void> {
  while (!signal.aborted) {
    const status = await host.get<HostStatus>('/status');
    const bots = await host.get<BotView[]>('/bots');
    const live = bots.filter(({ instances }) =>
      instances.some(({ state }) => state === 'running' || state === 'leaving'),
    );
    // A host that has only just started knows of nothing that runs before the engine has told.
    if (status.engine.answers && live.length === 0) return;
    const left = status.engine.answers
      ? `${live.length} go on`
      : `the ${status.engine.name} engine does not answer`;
    if (invocation.stderr.isTTY) invocation.stderr.write(`${left}\n`);
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
