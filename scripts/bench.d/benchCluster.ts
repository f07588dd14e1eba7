import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `scripts/kube` with a folder of its own: a cluster beside any other. */
export function benchCluster(name: string) {
  const state = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  const run = join(state, 'run');
  const env = { ...process.env, RUNTIME_KUBE_STATE: run };
  const kube = (...args: string[]) =>
    execFileSync(join(import.meta.dirname, '../kube'), args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  return { state, run, kube };
}
