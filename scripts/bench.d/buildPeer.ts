import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The native agent that a start is compared with (`peer/main.go`); undefined where there is no Go to build it. */
export function buildPeer(): string | undefined {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'runtime', 'bench');
  const file = join(folder, 'peer');
  mkdirSync(folder, { recursive: true });
  try {
    const args = ['build', '-buildvcs=false', '-trimpath', '-ldflags', '-s -w', '-o', file, '.'];
    execFileSync('go', args, {
      cwd: join(import.meta.dirname, 'peer'),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return file;
  } catch (error) {
    console.error(`bench: without a native agent to compare with: ${(error as Error).message}`);
    return undefined;
  }
}
