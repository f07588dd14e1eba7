import type { Readable } from 'node:stream';
import type { Owner } from '../../../base/owner.ts';
import type { Launch } from '../../../bot/kinds/kind.ts';
import { type Program, startProgram } from '../../process/startProgram.ts';
import type { OutputPipes } from '../capture/outputPipes.ts';

export interface BotOptions {
  readonly launch: Launch;
  /** The whole environment: nothing of ours is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: Owner | undefined;
  /** Undefined: Node's sockets. */
  readonly pipes: OutputPipes | undefined;
  /** Another process will take its place: our ends of the pipes stay open, and are the caller's to close. */
  readonly keepsPipes?: boolean;
}

/** The bot, and its outputs, to be read from the first byte: a descriptor, or a stream where there are no pipes. */
export interface BotProcess extends Omit<Program, 'stdout' | 'stderr' | 'closed'> {
  /** Null: it is an agent's channel and no output, or captured already. */
  readonly stdout: Readable | number | null;
  readonly stderr: Readable | number | null;
}

/** Starts the bot, or the interpreter that waits for its code. What goes wrong is in `ended`. */
export function startBot({ pipes, keepsPipes, ...options }: BotOptions): BotProcess {
  const program = startProgram({
    ...options,
    stdout: pipes?.stdout.writer ?? 'pipe',
    stderr: pipes?.stderr.writer ?? 'pipe',
  });
  if (!keepsPipes) {
    pipes?.stdout.release();
    pipes?.stderr.release();
  }
  return {
    ...program,
    stdout:
      options.launch.channel === 'stdio' ? null : (pipes?.stdout.reader ?? (program.stdout as Readable)),
    stderr: pipes?.stderr.reader ?? (program.stderr as Readable),
  };
}
