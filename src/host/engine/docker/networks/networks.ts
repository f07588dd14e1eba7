import { asRuntimeError } from '../../../../base/errors.ts';
import type { InstanceSpec } from '../../engine.ts';
import type { ContainerSummary } from '../containers/container.ts';
import type { Place } from '../containers/createBody.ts';
import type { DockerContext } from '../dockerContext.ts';
import { createBridges } from './bridges.ts';
import { checkEgress } from './checkEgress.ts';
import { createIsolation } from './isolation.ts';
import { type NetworkOptions, thisMachine } from './networkOptions.ts';

/** Addresses of names change, and others reload the packet filter: the rules are put in place anew so often. Milliseconds. */
const RENEW_MS = 60_000;

export interface Networks {
  /** Where an instance is to be attached, with everything there that keeps it apart. */
  place(spec: InstanceSpec, signal: AbortSignal): Promise<Place>;
  /** The instance has not come to be. */
  release(name: string): void;
  /** Resolves once the rules are in place: nothing is started before. */
  ready(signal: AbortSignal): Promise<void>;
  seen(summaries: readonly ContainerSummary[]): void;
}

export function createNetworks(
  context: DockerContext,
  options: NetworkOptions,
  closed: AbortSignal,
): Networks {
  if (options.type === 'existing') return existing(options.name);
  const { log, host, clock } = context;
  const bridges = createBridges(context, options.pool);
  const isolation = createIsolation(
    host,
    options.reachable,
    onChange((message) => log.warn(message)),
  );
  let loaded = false;
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time: the rules are always those of all bridges. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
  const load = async (signal: AbortSignal) => {
    if (loaded) return;
    await bridges.load(signal);
    await isolation.apply(bridges.all());
    loaded = true;
    void renew();
  };
  const renew = async () => {
    const tell = onChange((message) => log.error(message));
    while (!closed.aborted) {
      try {
        await clock.sleep(RENEW_MS, closed);
        await inTurn(async () => {
          // Those of a host of another part of the same bots as well.
          await bridges.load(closed).catch(() => undefined);
          // Whatever the engine says to that, the rules are renewed.
          await bridges.dropEmpty(closed).catch(() => undefined);
          await isolation.apply(bridges.all());
        });
        tell('');
      } catch (error) {
        if (!closed.aborted)
          tell(`the rules between bots were not renewed: ${asRuntimeError(error).message}`);
      }
    }
  };

  return {
    ready: (signal) => inTurn(() => load(signal)),
    seen: bridges.seen,
    release: bridges.release,
    place: async ({ name, egress }, signal) => {
      checkEgress(egress);
      return await inTurn(async () => {
        await load(signal);
        const make = (bridge: Parameters<typeof isolation.apply>[0][number]) =>
          isolation.apply([...bridges.all(), bridge]);
        const bridge = await bridges.reserve(name, egress, make);
        const asksNobody = egress === 'none';
        return {
          network: bridge.name,
          names: { ...(asksNobody && isolation.opened.names), [thisMachine]: bridge.gateway },
          // Its own loopback, where nobody listens: a name server is a way out as well.
          resolvers: asksNobody ? ['127.0.0.1'] : undefined,
        };
      });
    },
  };
}

function existing(network: string): Networks {
  return {
    ready: async () => undefined,
    seen: () => undefined,
    release: () => undefined,
    place: async () => ({ network, names: {}, resolvers: undefined }),
  };
}

/** Says a thing once, until it says another; an empty message only forgets. */
function onChange(say: (message: string) => void): (message: string) => void {
  let said = '';
  return (message) => {
    if (message !== said && message !== '') say(message);
    said = message;
  };
}
