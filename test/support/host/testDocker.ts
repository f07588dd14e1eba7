import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import type { NetworkOptions } from '../../../src/host/engine/docker/networks/networkOptions.ts';
import { removeRules } from '../../../src/host/engine/docker/networks/removeRules.ts';
import { openDocker } from '../../../src/host/engine/docker/openDocker.ts';
import type { Engine, InstanceSpec } from '../../../src/host/engine/engine.ts';
import { docker } from '../container/docker.ts';
import { memoryLog } from '../memoryLog.ts';
import { smallInstance } from './smallInstance.ts';

export interface TestDocker extends AsyncDisposable {
  readonly engine: Engine;
  readonly host: string;
  readonly lines: readonly string[];
  /** A small instance that runs a shell script. */
  spec(name: string, script: string, more?: Partial<InstanceSpec>): InstanceSpec;
  /** Makes it and starts it. */
  run(name: string, script: string, more?: Partial<InstanceSpec>): Promise<void>;
  /** Runs a script inside and resolves with what it printed on either stream, and its exit code. */
  inside(name: string, script: string, more?: { user?: InstanceSpec['user'] }): Promise<Inside>;
  untilEnded(name: string): Promise<void>;
}

export interface Inside {
  readonly text: string;
  readonly exit: number;
}

export interface TestDockerOptions {
  readonly image: string;
  readonly host?: string;
  /** What the driver asks instead of the engine's own socket: a proxy before it, or another engine. */
  readonly address?: string;
  /** The socket of an engine other than the shared one. */
  readonly socket?: string;
  readonly networks?: NetworkOptions;
  /** Of the driver; limits on requests are real time all the same. */
  readonly clock?: Clock;
}

export const signal = (): AbortSignal => AbortSignal.timeout(50_000);

/** The driver on a real engine, under a host's name of its own; what it has made is gone when it is disposed of. */
export async function testDocker(options: TestDockerOptions): Promise<TestDocker> {
  const host = options.host ?? `test-${randomBytes(4).toString('hex')}`;
  const { log, lines } = memoryLog();
  const { socket, address = socket, networks, clock = systemClock } = options;
  const engine = await openDocker({ host, socket: address, networks, clock, log });

  const spec: TestDocker['spec'] = (...script) => smallInstance(options.image, ...script);

  return {
    engine,
    host,
    lines,
    spec,
    async run(name, script, more) {
      await engine.create(spec(name, script, more), signal());
      await engine.start(name, signal());
    },
    async inside(name, script, { user } = {}) {
      const argv = ['/bin/sh', '-c', script];
      const process = await engine.exec(name, { argv, env: {}, cwd: '/', user, stdin: false }, signal());
      let text = '';
      for await (const { bytes } of process.output) text += Buffer.from(bytes);
      return { text, exit: await process.exit };
    },
    async untilEnded(name) {
      const until = signal();
      while ((await engine.inspect(name, until))?.state !== 'ended') await systemClock.sleep(50, until);
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await removeHost(host, socket);
    },
  };
}

/** Everything that a host of this name has on an engine and in the packet filter. */
export async function removeHost(host: string, socket?: string): Promise<void> {
  const cli = (...args: string[]) => docker(...(socket ? ['--host', `unix://${socket}`] : []), ...args);
  const ids = async (...args: string[]) => (await cli(...args)).split('\n').filter((id) => id !== '');
  const label = `label=runtime.host=${host}`;
  const containers = await ids('ps', '--all', '--quiet', '--filter', label);
  if (containers.length > 0) await cli('rm', '--force', '--volumes', ...containers);
  const bridges = await ids('network', 'ls', '--quiet', '--filter', label);
  if (bridges.length > 0) await cli('network', 'rm', ...bridges);
  // The packet filter may have no time for us on a busy machine.
  for (let tries = 0; tries < 3; tries += 1)
    if (
      await removeRules(host).then(
        () => true,
        () => false,
      )
    )
      break;
}
