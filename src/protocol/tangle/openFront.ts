import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { makeOnce } from '../../base/makeOnce.ts';
import type { Secret } from '../../base/secret.ts';
import type { Sandboxes } from '../../host/sandboxes/sandboxes.ts';
import { authenticator, singleKey } from './access/access.ts';
import { makeSigningKey, sidecarTokens, type Tool } from './access/sidecarToken.ts';
import { allRoutes } from './allRoutes.ts';
import type { ToolsOf } from './runtime/openSandbox.ts';
import { connections } from './sandboxes/connections.ts';
import { type Front, startFront } from './startFront.ts';

export interface OpenFront {
  readonly sandboxes: Sandboxes;
  /** `serve` below the data folder: keys, policy, events, audit. */
  readonly folder: string;
  /** RUNTIME_SERVE_KEY. */
  readonly key: Secret | undefined;
  /** 0: any that is free. */
  readonly port: number;
  readonly who: 'all' | 'this-machine';
  readonly publicUrl: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The HTTP front of `runtime serve`, put together. Ends nothing but itself. */
export async function openFront(options: OpenFront): Promise<Front> {
  const { sandboxes, folder, key, clock, log } = options;
  if (key === undefined)
    throw new RuntimeError('config', 'no key may ask this server anything', {
      hint: 'RUNTIME_SERVE_KEY is a key that may do everything.',
    });
  makeFolders(folder, 0o700);
  const pem = makeOnce(join(folder, 'sidecar-key.pem'), makeSigningKey).toString();
  const tokens = sidecarTokens(pem, clock.now);
  const toolsOf: ToolsOf = ({ tools }) => tools as readonly Tool[] | undefined;
  const connect = connections(tokens, toolsOf, clock.now);
  return await startFront({
    ...options,
    host: options.who === 'all' ? undefined : '127.0.0.1',
    routes: allRoutes({ sandboxes, folder, connect, toolsOf, clock, log }),
    authenticate: authenticator(singleKey(key), tokens),
  });
}
