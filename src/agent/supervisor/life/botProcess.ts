import type { Readable } from 'node:stream';
import type { Owner } from '../../../base/owner.ts';
import type { Launch } from '../../../bot/kinds/kind.ts';
import { type Program, startProgram } from '../../process/startProgram.ts';
import type { OutputPipes } from '../capture/outputPipes.ts';

export interface BotOptions {
  readonly launch: Launch;
  /** The whole environment: nothing is added to it. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: Owner | undefined;
  /** Undefined: the output goes through sockets that Node makes. */
  readonly pipes: OutputPipes | undefined;
  /** Another process will replace it: the supervisor's ends of the pipes stay open, and the caller closes them. */
  readonly keepsPipes?: boolean;
}

/** The bot and its outputs, unread: each is a descriptor, or a stream where there are no pipes. */
export interface BotProcess extends Omit<Program, 'stdout' | 'stderr' | 'closed'> {
  /** Null: it is captured already, or it is an agent's channel and no output. */
  readonly stdout: Readable | number | null;
  readonly stderr: Readable | number | null;
}

/** Starts the bot, or the interpreter that waits for its code. A failure is in `ended`. */
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
