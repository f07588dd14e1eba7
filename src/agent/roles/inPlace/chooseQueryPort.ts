import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { systemCode } from '../../../base/errors.ts';
import { isServed } from '../../../bot/config/config.ts';
import type { LoadedBot } from '../loadBot.ts';

/** The bot with a port for its queries that is free: a second bot on the same machine is no reason not to run. */
export async function chooseQueryPort(bot: LoadedBot): Promise<LoadedBot> {
  const { config, env, log } = bot;
  if (!isServed(config)) return bot;
  const { port: wanted } = config.query;
  const port = await listenOnce(wanted).catch((error: unknown) => {
    if (systemCode(error) === 'EADDRINUSE') return listenOnce(0);
    // What else is wrong with it the query server says better.
    return wanted;
  });
  if (port === wanted) return bot;
  if (wanted !== 0) log.warn(`port ${wanted} is taken; queries are answered on ${port}`, { port });
  const query = Object.freeze({ ...config.query, port });
  return {
    ...bot,
    config: Object.freeze({ ...config, query }),
    env: { ...env, QUERY_PORT: String(port) },
  };
}

/** The port that the system gives for `port`. */
async function listenOnce(port: number): Promise<number> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  const given = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return given;
}
