import type { Command } from '../../base/command/command.ts';
import { stopSignal } from '../../base/command/stopSignal.ts';
import { hostSettings } from '../run/hostOptions.ts';
import { readSettings, settingSpecs } from '../run/settings.ts';

const { data } = hostSettings;

export const remove: Command = {
  name: 'remove',
  summary: 'take away what a host has left on this machine that will not come back',
  positionals: '',
  options: {
    ...settingSpecs({ data }),
    id: { type: 'string', value: 'ID', description: 'the host, where its data folder is gone' },
    json: { type: 'boolean', description: 'print JSON' },
  },
  details: [
    'Its containers that have ended, its networks, its rules in the packet filter. Its data folder stays, with what could not be saved, and',
    'so does everything in the store. `runtime bots drain --wait` first, then end the host: while bots run, nothing is done.',
    'Where the variables of the host name its store, its bots are free for other hosts of it afterwards: with --id also those of a host on',
    'another machine, which is not asked whether they still run there.',
    '',
    'Exit codes: 64 command line, 66 no such host, 69 the engine or the store is away, 75 the host runs, 77 bots of it run.',
  ].join('\n'),
  run: async (invocation) => {
    const { flags, env, stdout } = invocation;
    const folder = readSettings({ data }, invocation, 'the removal').data;
    const isNamed = Boolean(env.STORE_URL || env.MINIO_ENDPOINT);
    const { loadHost } = await import('../run/loadHost.ts');
    const config = isNamed ? (await loadHost(invocation)).config : undefined;
    const { removeHost } = await import('../run/removeHost.ts');
    const removed = await removeHost({
      data: folder,
      id: typeof flags.id === 'string' ? flags.id : undefined,
      socket: env.DOCKER_HOST || undefined,
      config,
      signal: stopSignal(),
    });
    const { id, containers, networks, bots, storeAnswers } = removed;
    if (flags.json) stdout.write(`${JSON.stringify(removed)}\n`);
    else {
      stdout.write(`host ${id} is gone: ${containers} containers, ${networks} networks, its rules\n`);
      if (bots !== undefined) stdout.write(`${bots} bots of it are free for other hosts of the store\n`);
      else if (!storeAnswers)
        stdout.write(
          `${config === undefined ? 'no store is named' : 'the store does not answer'}, and there its bots stay its own: again with MINIO_* or STORE_URL, as the host had them\n`,
        );
    }
    if (!flags.json && flags.id === undefined)
      stdout.write(
        `${folder} stays: states that could not be saved, records, events. Started again, the host goes on with it\n`,
      );
    return 0;
  },
};
