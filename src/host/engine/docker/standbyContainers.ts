import type { Standby } from '../engine.ts';
import { limitsOf } from './containers/createBody.ts';
import type { DockerContext } from './dockerContext.ts';

/** By name: it is ours, and only one has ever had it. */
export function standbyContainers({ client }: DockerContext): Standby {
  const path = (name: string, action: string) => `/containers/${encodeURIComponent(name)}/${action}`;
  return {
    async input(name, signal) {
      const socket = await client.hijack({
        op: 'engine.input',
        subject: name,
        method: 'POST',
        path: path(name, 'attach'),
        query: { stream: '1', stdin: '1' },
        signal,
      });
      // What fails is seen by its `close`.
      socket.on('error', () => undefined);
      // Nothing comes; without a reader its end is not seen either.
      socket.resume();
      return socket;
    },
    async limit(name, resources, signal) {
      await client.call({
        op: 'engine.limit',
        subject: name,
        method: 'POST',
        path: path(name, 'update'),
        body: limitsOf(resources),
        signal,
      });
    },
  };
}
