import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../../..');
const execute = promisify(execFile);

/** Output of the Docker client; throws with what it said on stderr. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await execute('docker', args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** `docker` with text on its stdin. */
export function dockerWithInput(input: string, ...args: string[]): Promise<string> {
  const running = execute('docker', args);
  running.child.stdin?.end(input);
  return running.then(({ stdout }) => stdout);
}

/** The universal image, or why there can be none here. A build that fails is an error, not a reason to skip. */
export interface Image {
  readonly tag: string;
  readonly missing: string | undefined;
}

/** Starts an engine where none runs and makes the image where it is not made of the current executable. */
export async function universalImage(): Promise<Image> {
  // Several checkouts may share one engine.
  const tag = process.env.RUNTIME_TEST_IMAGE || 'runtime:universal';
  const missing = await script('docker', 'start');
  if (missing) {
    console.warn(`Container tests are skipped, no Docker Engine: ${missing}`);
    return { tag, missing };
  }
  const failure = await script('image', tag);
  if (failure) throw new Error(`scripts/image failed:\n${failure}`);
  return { tag, missing };
}

/** Another target of images/Dockerfile, made where it is not; its tag. */
export async function targetImage(
  target: string,
  arch: 'x64' | 'arm64' = 'x64',
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const tag = targetTag(target, arch);
  const failure = await runScript('image', ['--target', target, '--arch', arch, tag], env);
  if (failure) throw new Error(`scripts/image failed:\n${failure}`);
  return tag;
}

/** What the tests of one run call the image of a target. */
export const targetTag = (target: string, arch: 'x64' | 'arm64' = 'x64'): string =>
  `${process.env.RUNTIME_TEST_IMAGE || 'runtime:test'}-${target}-${arch}`;

/** A small Debian (sh, bash, tar, perl), for tests of the engine that need no runtime inside. */
export async function baseImage(): Promise<Image> {
  const tag = 'debian:bookworm-slim';
  const missing = await script('docker', 'base');
  if (missing) console.warn(`Container tests are skipped, no Docker Engine: ${missing}`);
  return { tag, missing };
}

/** What it said on stderr when it failed, else undefined. */
function script(name: string, ...args: string[]): Promise<string | undefined> {
  return runScript(name, args, {});
}

function runScript(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  // Output goes to a pipe that a daemon started by the script does not hold: `exit`, not `close`, is the end.
  const child = spawn(join(root, 'scripts', name), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0 ? undefined : stderr.trim() || `exit code ${code}`));
  });
}
