import { join } from 'node:path';
import type { Invocation, OptionSpec } from '../../../base/command/command.ts';
import { serveSettings } from '../../../host/run/serveOptions.ts';
import { keyFileIn } from '../access/keyFile.ts';

/** Which server's keys. */
export const dataOption: Readonly<Record<string, OptionSpec>> = {
  data: {
    type: 'string',
    description: `${serveSettings.data.variable}: the data folder of the server (${serveSettings.data.default})`,
  },
};

export function keyFileOf({ flags, env }: Pick<Invocation, 'flags' | 'env'>): string {
  const { variable, default: usual } = serveSettings.data;
  return keyFileIn(join(typeof flags.data === 'string' ? flags.data : env[variable] || usual, 'serve'));
}
