import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { extract } from 'tar-stream';
import { docker } from './docker.ts';

export interface ContainerOptions {
  readonly image: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `uid:gid`; the image's own (root) unless said. */
  readonly user?: string;
  readonly readOnly?: boolean;
  readonly dropCapabilities?: boolean;
  /** Of those that an engine leaves to root: `CHOWN`, `ALL`. */
  readonly capDrop?: readonly string[];
  /** Processes and threads. */
  readonly pidsLimit?: number;
  /** `/state` or `/state:exec,uid=1000`. */
  readonly tmpfs?: readonly string[];
  /** `SOURCE:TARGET`. */
  readonly volumes?: readonly string[];
  /** `64m`; swap is not allowed either. */
  readonly memory?: string;
  /** Instead of the image's own entrypoint. */
  readonly entrypoint?: string;
  readonly args?: readonly string[];
}

export interface Ended {
  /** Of the container. */
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** As the contract's section 3 has it; undefined where there is none (or it lay on a tmpfs). */
  readonly exitRecord: Readonly<Record<string, unknown>> | undefined;
}

/** A container on the host's network, gone when it is disposed of: `await using bot = await startContainer(…)`. */
export interface Container extends AsyncDisposable {
  readonly name: string;
  /** Resolves once stdout has `text`; throws when the container ends without it. */
  waitForOutput(text: string): Promise<void>;
  /** SIGKILL to all of it. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL after `seconds`. */
  stop(seconds: number): Promise<void>;
  ended(): Promise<Ended>;
}

export async function startContainer(options: ContainerOptions): Promise<Container> {
  const name = `runtime-test-${randomUUID()}`;
  await docker(
    'run',
    '--detach',
    '--name',
    name,
    ...runFlags(options),
    options.image,
    ...(options.args ?? []),
  );
  return {
    name,
    waitForOutput: (text) => waitForOutput(name, text),
    kill: async () => void (await docker('kill', name)),
    stop: async (seconds) => void (await docker('stop', '--time', String(seconds), name)),
    ended: async () => {
      const exit = Number(await docker('wait', name));
      return { exit, ...(await logs(name)), exitRecord: await exitRecord(name) };
    },
    [Symbol.asyncDispose]: async () => void (await docker('rm', '--force', '--volumes', name)),
  };
}

/** From start to end. */
export async function runContainer(options: ContainerOptions): Promise<Ended> {
  await using container = await startContainer(options);
  return await container.ended();
}

function runFlags(options: ContainerOptions): string[] {
  const flags = ['--network', 'host'];
  for (const [name, value] of Object.entries(options.env ?? {})) flags.push('--env', `${name}=${value}`);
  for (const mount of options.tmpfs ?? []) flags.push('--tmpfs', mount);
  for (const volume of options.volumes ?? []) flags.push('--volume', volume);
  if (options.user) flags.push('--user', options.user);
  if (options.readOnly) flags.push('--read-only');
  if (options.dropCapabilities) flags.push('--cap-drop', 'ALL', '--security-opt', 'no-new-privileges');
  for (const capability of options.capDrop ?? []) flags.push('--cap-drop', capability);
  if (options.pidsLimit) flags.push('--pids-limit', String(options.pidsLimit));
  if (options.memory) flags.push('--memory', options.memory, '--memory-swap', options.memory);
  if (options.entrypoint) flags.push('--entrypoint', options.entrypoint);
  return flags;
}

async function logs(name: string): Promise<{ stdout: string; stderr: string }> {
  const child = spawn('docker', ['logs', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    text.stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text.stderr += chunk;
  });
  await once(child, 'close');
  return text;
}

async function waitForOutput(name: string, text: string): Promise<void> {
  const child = spawn('docker', ['logs', '--follow', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  let stdout = '';
  try {
    for await (const chunk of child.stdout) {
      stdout += chunk;
      if (stdout.includes(text)) return;
    }
  } finally {
    child.kill();
  }
  throw new Error(`ended without "${text}" on stdout:\n${stdout}\n${stderr}`);
}

async function exitRecord(name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const child = spawn('docker', ['cp', `${name}:/var/the0/exit.json`, '-'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const entry of child.stdout.pipe(extract())) {
    let text = '';
    for await (const chunk of entry) text += chunk;
    return JSON.parse(text);
  }
  return undefined;
}
