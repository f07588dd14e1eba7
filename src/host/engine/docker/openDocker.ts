import { readFileSync } from 'node:fs';
import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Engine } from '../engine.ts';
import { createBody, type Place } from './containers/createBody.ts';
import { findContainer, isTaken } from './containers/findContainer.ts';
import { lifeOfContainers } from './containers/lifeOfContainers.ts';
import { createContainerList } from './containers/listContainers.ts';
import { toInstance } from './containers/toInstance.ts';
import { dialContainer } from './dialContainer.ts';
import type { DockerContext } from './dockerContext.ts';
import { execInContainer } from './execInContainer.ts';
import { createDockerClient } from './http/dockerClient.ts';
import { parseEngineAddress } from './http/engineAddress.ts';
import { createImages } from './images.ts';
import { defaultNetworks, type NetworkOptions } from './networks/networkOptions.ts';
import { createNetworks } from './networks/networks.ts';
import { readLogs } from './readLogs.ts';
import { readPlace } from './readPlace.ts';
import { standbyContainers } from './standbyContainers.ts';
import { watchEvents } from './watchEvents.ts';

/*
 * The room of the Docker driver: an instance is a container, known by its labels.
 *
 *   http/              the engine's API over its socket
 *   images             what a reference means now, and pulls
 *   containers/        from a specification to the engine's JSON (`createBody`) and back (`toInstance`); start, stop, remove
 *   networks/          bridges, and the packet filter's rules (`ruleset`) that keep bots from each other and from the machine
 *   watchEvents        what may have changed
 *   readLogs, execInContainer, dialContainer   what is asked of one that runs
 *   standbyContainers  those that wait for a query
 *   removeOrphans, removeTraces   what a host that is gone has left
 */

export interface DockerOptions {
  /** Value of the label `runtime.host`: `[a-z0-9][a-z0-9-]{0,30}`, one for each host on this engine. */
  readonly host: string;
  /** `unix:///…`, a path or `tcp://…`; DOCKER_HOST where the caller has one, else /var/run/docker.sock. */
  readonly socket?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly networks?: NetworkOptions | undefined;
}

const CREATE_MS = 60_000;

/** Only its own loopback. */
const nowhere: Place = { network: 'none', names: {}, resolvers: undefined };

/** The Docker Engine of this machine. Resolves without having asked it: one that is away now may come. */
export async function openDocker(options: DockerOptions): Promise<Engine> {
  const { host, clock, log } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(host))
    throw new RuntimeError('config', `${JSON.stringify(host)} is not a name for a host`, {
      hint: 'Expected at most 31 lower-case letters, digits and hyphens.',
    });
  const address = parseEngineAddress(options.socket);
  const client = createDockerClient(address);
  const context: DockerContext = {
    client,
    host,
    bootedAt: 'socketPath' in address ? bootTime() : undefined,
    clock,
    log,
  };
  const closing = new AbortController();
  const images = createImages(context, closing.signal);
  const networks = createNetworks(context, options.networks ?? defaultNetworks, closing.signal);
  const list = createContainerList(context, networks.seen);
  const life = lifeOfContainers(context);

  return {
    name: 'docker',
    features: { folders: true, exec: true },
    image: images.get,
    list: list.instances,
    watch: (changed, signal) => watchEvents(context, changed, signal),

    async inspect(name, signal) {
      const container = await findContainer(context, 'engine.inspect', name, signal);
      return container && toInstance(container, context);
    },

    isTaken: (name, signal) => isTaken(context, name, signal),

    async create(spec, signal) {
      const place = spec.guest?.network === false ? nowhere : await networks.place(spec, signal);
      try {
        await client.call({
          op: 'engine.create',
          subject: spec.name,
          method: 'POST',
          path: '/containers/create',
          query: { name: spec.name },
          body: createBody(spec, host, place),
          timeoutMs: CREATE_MS,
          signal,
        });
      } catch (error) {
        networks.release(spec.name);
        throw error;
      }
    },

    async start(name, signal) {
      await networks.ready(signal);
      await life.start(name, signal);
    },
    stop: life.stop,
    kill: life.kill,
    wake: life.wake,
    retire: life.retire,
    remove: life.remove,
    logs: (name, wanted, signal) => readLogs(context, name, wanted, signal),
    exec: (name, request, signal) => execInContainer(context, name, request, signal),
    dial: (name, port, signal) => dialContainer(context, name, port, signal),
    standby: standbyContainers(context),

    async capacity(signal) {
      const request = { op: 'engine.info', subject: 'engine', method: 'GET', path: '/info', signal } as const;
      const { NCPU, MemTotal } = await client.call<{ NCPU: number; MemTotal: number }>(request);
      return { cpus: NCPU, memoryBytes: MemTotal };
    },

    place: (signal) => readPlace(client, 'socketPath' in address, signal),

    async close() {
      closing.abort();
      client.close();
    },
  };
}

/** Undefined where it cannot be read: in a sandbox that shows nothing of /proc. */
function bootTime(): number | undefined {
  try {
    const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  } catch {
    return undefined;
  }
}
