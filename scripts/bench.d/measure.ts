import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Measured {
  /** Milliseconds from spawn to the first byte on stdout; null when there was none. */
  readonly firstLineMs: number | null;
  readonly totalMs: number;
  /** CPU of the program and of everything that it has started, milliseconds. */
  readonly cpuMs: number;
  readonly code: number;
  readonly stderr: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** For file descriptor 3, at most what a pipe holds. */
  readonly control?: string;
}

export interface Measurer {
  measure(command: Command): Promise<Measured>;
  close(): void;
}

/** One small process that starts what is measured: its own start is not in the figures, and forking it costs little. */
export function startMeasurer(): Measurer {
  const child = spawn('/usr/bin/python3', [join(import.meta.dirname, 'measure.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    measure: async (command) => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('measure.py has ended');
      return JSON.parse(value) as Measured;
    },
    close: () => child.stdin.end(),
  };
}

/** Keeps the second core busy until it is closed: a host's other bots. */
export function loadSecondCore(): { close(): void } {
  const busy = spawn('taskset', ['-c', '1', 'sh', '-c', 'while :; do :; done'], { stdio: 'ignore' });
  return { close: () => void busy.kill('SIGKILL') };
}
