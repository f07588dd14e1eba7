import { createServer } from 'node:net';
import { asRuntimeError, RuntimeError, systemCode } from '../../base/errors.ts';
import { type Finding, fail, ok, warn } from '../../base/finding.ts';
import { type Config, isServed } from '../../bot/config/config.ts';
import type { Kind } from '../../bot/kinds/kind.ts';
import { queryRequest } from '../../bot/kinds/queryRequest.ts';
import { readonlyWrapper } from '../query/program/readonlyWrapper.ts';
import type { Check } from './check.ts';

/** For bots that answer queries: the port is free, and the state is kept from the query program's writes. */
export const queries: Check = {
  name: 'queries',
  async run({ config, kind, inPlace }) {
    if (config.queryEntrypoint === undefined && !config.agent) return [];
    const serves = isServed(config) && config.query.path === undefined;
    return [
      ...(serves ? [await port(config.query.port, inPlace)] : []),
      ...(config.queryEntrypoint === undefined
        ? []
        : [...(await program(config, kind)), await protection(config.paths.state, config.user, inPlace)]),
    ];
  },
};

/** Where the code is there to be looked at. A bot runs without the program, whose queries all fail. */
async function program(config: Config, kind: Kind): Promise<Finding[]> {
  if (config.code.file !== undefined) return [];
  try {
    const request = { ...queryRequest(config), dryRun: true };
    await kind.launch(request);
    await kind.verify(request);
    return [];
  } catch (error) {
    if (config.query.path !== undefined) return [fail('query program', error)];
    const { message, hint } = asRuntimeError(error);
    return [warn('query program', `queries cannot be answered: ${message}`, hint)];
  }
}

async function port(number: number, inPlace: boolean): Promise<Finding> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(number, resolve);
    });
    return ok('query port', `${number} is free`);
  } catch (error) {
    const text = `port ${number} cannot be listened on: ${(error as Error).message}`;
    if (inPlace && systemCode(error) === 'EADDRINUSE') {
      return warn('query port', `${number} is taken`, '`execute DIR` takes a free one, and prints it.');
    }
    return fail('query port', new RuntimeError('config', text, { hint: 'Set QUERY_PORT to another port.' }));
  } finally {
    server.close();
  }
}

async function protection(state: string, user: object | undefined, inPlace: boolean): Promise<Finding> {
  const { landlock } = await readonlyWrapper(state);
  const means = [...(user ? ['another user'] : []), ...(landlock ? ['Landlock'] : [])];
  if (means.length > 0)
    return ok('queries read only', `the state is kept from queries by ${means.join(' and ')}`);
  return warn(
    'queries read only',
    'nothing keeps a query program from writing to the state',
    inPlace
      ? 'In place it is whoever starts it: see that it only reads.'
      : 'Start the container as root, or on a kernel with Landlock (5.13) and the image of this project.',
  );
}
