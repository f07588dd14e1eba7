import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { makeFolders } from '../../base/makeFolders.ts';
import { makeOnce } from '../../base/makeOnce.ts';
import type { Secret } from '../../base/secret.ts';
import { type CapacityOptions, createCapacity } from '../../host/sandboxes/placement/capacity.ts';
import { followPolicy } from '../../host/sandboxes/policy/followPolicy.ts';
import type { Sandboxes } from '../../host/sandboxes/sandboxes.ts';
import { openSecrets } from '../../host/sandboxes/secrets/openSecrets.ts';
import { authenticator, singleKey } from './access/access.ts';
import { makeSigningKey, sidecarTokens } from './access/sidecarToken.ts';
import { allRoutes } from './allRoutes.ts';
import { toolsBy } from './runtime/toolsBy.ts';
import { connections } from './sandboxes/connections.ts';
import { sandboxMaker } from './sandboxes/makeSandbox.ts';
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
  /** The policy's file; undefined: the usual rules. */
  readonly policy: string | undefined;
  /** What sandboxes are placed on. */
  readonly hosts: CapacityOptions['hosts'];
  readonly holdsEgress: boolean;
  readonly isReady: () => boolean;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The HTTP front of `runtime serve`, put together. Ends nothing but itself. */
export async function openFront(options: OpenFront): Promise<Front> {
  const { folder, key, clock, log } = options;
  if (key === undefined)
    throw new RuntimeError('config', 'no key may ask this server anything', {
      hint: 'RUNTIME_SERVE_KEY is a key that may do everything.',
    });
  makeFolders(folder, 0o700);
  const pem = makeOnce(join(folder, 'sidecar-key.pem'), makeSigningKey).toString();
  const tokens = sidecarTokens(pem, clock.now);
  const policy = followPolicy(options.policy, log);
  const capacity = createCapacity(options);
  const secrets = openSecrets(join(folder, 'secrets'), clock.now);
  const toolsOf = toolsBy(policy);
  const connect = connections(tokens, toolsOf, clock.now);
  const maker = sandboxMaker({ ...options, policy, capacity, secrets });
  const eventsFail = () => undefined;
  return await startFront({
    ...options,
    host: options.who === 'all' ? undefined : '127.0.0.1',
    routes: allRoutes({ ...options, policy, capacity, secrets, toolsOf, connect, maker, eventsFail }),
    authenticate: authenticator(singleKey(key), tokens),
  });
}
