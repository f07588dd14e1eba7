import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { WholeCluster } from './wholeCluster.ts';

/** `kubectl port-forward` of a Service: the port of this machine. */
export async function forwarded(
  { state }: WholeCluster,
  namespace: string,
  service: string,
  port: number,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const args = ['--namespace', namespace, 'port-forward', `service/${service}`, `:${port}`];
  const child = spawn(join(state, 'bin/kubectl'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const end = async () => {
    child.kill('SIGKILL');
    await exit;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const [, own] = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
    if (own !== undefined) return { port: Number(own), [Symbol.asyncDispose]: end };
  }
  throw new Error(`port-forward of ${service} ends`);
}
