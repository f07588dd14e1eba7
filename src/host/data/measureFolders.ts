import { spawn } from 'node:child_process';

/**
 * Bytes that each of the folders takes on the disk; one that could not be measured is left out. `du` as a program of its own: it
 * follows no links, whatever the folders hold, and one with a million files holds up nobody here. Aborted, it tells what it has.
 */
export async function measureFolders(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  const args = ['-n', '19', 'du', '-s', '-x', '-0', '--block-size=1', '--files0-from=-'];
  const child = spawn('nice', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const stop = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  const closed = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve());
    child.once('error', reject);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(paths.map((path) => `${path}\0`).join(''));
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\0');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const tab = line.indexOf('\t');
      sizes.set(line.slice(tab + 1), Number(line.slice(0, tab)));
    }
  });
  try {
    await closed;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return sizes;
}
