import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject, type TestFunction, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { createKubeClient, type KubeClient } from '../../../src/host/kubernetes/kubeClient.ts';
import { readKubeconfig } from '../../../src/host/kubernetes/kubeconfig.ts';

/** A cluster whose nodes and pods are simulated (kwok), and whose API server may be killed: no other test sees it. */
export interface OwnCluster extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly client: KubeClient;
  /** SIGKILL to the API server. Resolves once it is gone. */
  killApi(): Promise<void>;
  /** As it was started first. Resolves once the API answers. */
  startApi(): Promise<void>;
  /** etcd forgets every moment before now. */
  compact(): Promise<void>;
}

const script = join(import.meta.dirname, '../../../scripts/kube');
const execute = promisify(execFile);
const cluster = inject('cluster');

/** A test that starts a cluster of its own; skipped, by a name that `maySkip` knows, where none is built. */
export function ownClusterTest(name: string, run: TestFunction, timeout?: number): void {
  const none = 'missing' in cluster || cluster.state === undefined;
  test.skipIf(none)(`kubernetes: ${name}`, run, timeout);
}

export async function ownCluster(nodes: number): Promise<OwnCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'own-kube-'));
  const state = join(folder, 'run');
  const env = { ...process.env, RUNTIME_KUBE_STATE: state };
  const end = async () => {
    await execute(script, ['down'], { env });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { stdout } = await execute(script, ['up', '--kwok', String(nodes)], { env });
    return open(state, stdout.trim(), end);
  } catch (error) {
    await end();
    throw error;
  }
}

function open(state: string, kubeconfig: string, end: () => Promise<void>): OwnCluster {
  const access = readKubeconfig(kubeconfig, process.env, Date.now);
  const client = createKubeClient(access, systemClock);
  const pids = join(state, 'pids');
  const pidFile = join(pids, readdirSync(pids).find((name) => name.endsWith('-apiserver'))!);
  const pidOfApi = () => Number(readFileSync(pidFile, 'utf8').split(' ')[0]);
  const argv = readFileSync(`/proc/${pidOfApi()}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const etcd = argv[argv.indexOf('--etcd-servers') + 1];
  const ask = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
    const answer = await fetch(`${etcd}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as { header: { revision: string } };
  };

  const killApi = async () => {
    const pid = pidOfApi();
    if (lives(pid)) process.kill(pid, 'SIGKILL');
    for (const late = AbortSignal.timeout(30_000); lives(pid); ) await systemClock.sleep(20, late);
  };

  return {
    kubeconfig,
    client,
    killApi,
    async startApi() {
      const [program = '', ...args] = argv;
      // On a loaded machine one sometimes never becomes ready: another does.
      for (let attempt = 1; ; attempt++) {
        const log = openSync(join(state, 'log/apiserver'), 'a');
        const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log] });
        closeSync(log);
        child.unref();
        // As scripts/kube writes it, which stops it in the end.
        writeFileSync(pidFile, `${child.pid} ${fieldsOf(child.pid!)[19]}\n`);
        try {
          for (const late = AbortSignal.timeout(40_000); !(await isReady(client)); )
            await systemClock.sleep(100, late);
          return;
        } catch (error) {
          if (attempt === 3) throw error;
          await killApi();
        }
      }
    },
    async compact() {
      const { header } = await ask('range', { key: Buffer.from('/').toString('base64') });
      await ask('compaction', { revision: header.revision, physical: true });
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await end();
    },
  };
}

/** Of /proc/PID/stat, from the state on: the third field is the first here. */
function fieldsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
}

function lives(pid: number): boolean {
  try {
    return fieldsOf(pid)[0] !== 'Z';
  } catch {
    return false;
  }
}

async function isReady(client: KubeClient): Promise<boolean> {
  const signal = AbortSignal.timeout(5_000);
  try {
    // Its answer is a word, and no JSON.
    const answer = await client.stream({
      op: 'test',
      subject: 'api',
      method: 'GET',
      path: '/readyz',
      signal,
    });
    answer.resume();
    return true;
  } catch {
    return false;
  }
}
