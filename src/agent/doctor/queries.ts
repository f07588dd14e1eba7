import { createServer } from 'node:net';
import { RuntimeError } from '../../base/errors.ts';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import { isServed } from '../../bot/config/config.ts';
import { readonlyWrapper } from '../query/program/readonlyWrapper.ts';
import type { Check } from './check.ts';

/** For bots that answer queries: the port is free, and the state is kept from the query program's writes. */
export const queries: Check = {
  name: 'queries',
  async run({ config }) {
    if (config.queryEntrypoint === undefined && !config.agent) return [];
    const serves = isServed(config) && config.query.path === undefined;
    return [
      ...(serves ? [await port(config.query.port)] : []),
      ...(config.queryEntrypoint === undefined ? [] : [await protection(config.paths.state, config.user)]),
    ];
  },
};

async function port(number: number): Promise<Finding> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(number, resolve);
    });
    return ok('query port', `${number} is free`);
  } catch (error) {
    const text = `port ${number} cannot be listened on: ${(error as Error).message}`;
    return fail('query port', new RuntimeError('config', text, { hint: 'Set QUERY_PORT to another port.' }));
  } finally {
    server.close();
  }
}

async function protection(state: string, user: object | undefined): Promise<Finding> {
  const { landlock } = await readonlyWrapper(state);
  const means = [...(user ? ['another user'] : []), ...(landlock ? ['Landlock'] : [])];
  if (means.length > 0)
    return ok('queries read only', `the state is kept from queries by ${means.join(' and ')}`);
  return warn(
    'queries read only',
    'nothing keeps a query program from writing to the state',
    'Start the container as root, or on a kernel with Landlock (5.13) and the image of this project.',
  );
}
