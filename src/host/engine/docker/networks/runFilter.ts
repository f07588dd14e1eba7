import { spawn } from 'node:child_process';
import { RuntimeError, systemCode } from '../../../../base/errors.ts';

/** Milliseconds. */
const FILTER_MS = 10_000;

/**
 * Runs a program of the packet filter's and resolves with its output. Throws `config` where there is none, or where we may not;
 * `unavailable` for every other failure.
 */
export async function runFilter(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { stdio: 'pipe', timeout: FILTER_MS, env: { PATH: filterPath() } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) =>
      reject(systemCode(error) === 'ENOENT' ? noFilter(`${program} is not installed`) : error),
    );
    child.once('close', resolve);
  });
  if (code === 0) return stdout;
  const words = stderr.trim().split('\n')[0] ?? '';
  if (/not permitted|permission denied/i.test(words)) throw noFilter(`${program}: ${words}`);
  throw new RuntimeError('unavailable', `${program}: ${words || `ended with ${code}`}`, {
    op: 'engine.filter',
    retryable: true,
  });
}

/** An ordinary PATH lacks where Debian keeps them. */
function filterPath(): string {
  return `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
}

function noFilter(message: string): RuntimeError {
  return new RuntimeError('config', `bots cannot be kept apart: ${message}`, {
    op: 'engine.filter',
    hint: 'Install nftables and run the host as root on the engine’s own machine, or name a network of your own (DOCKER_NETWORK).',
  });
}
