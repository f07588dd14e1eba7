import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Invocation } from '../../base/command/command.ts';
import { asRuntimeError, isRuntimeError } from '../../base/errors.ts';
import type { AgentClient, ShownTurn } from './agentClient.ts';
import { printEvents } from './printEvents.ts';

export interface ConverseOptions {
  readonly client: AgentClient;
  readonly invocation: Invocation;
  readonly conversation: string | undefined;
  readonly json: boolean;
}

const CANCELLED = 130;

/** One message, or, of a terminal, one a line until its end, in one conversation. Resolves with the exit code. */
export async function converse(options: ConverseOptions, message: string | undefined): Promise<number> {
  const { invocation } = options;
  const { stdin, stderr } = invocation;
  const say = speaker(options);
  if (message !== undefined) return await say(message);
  const isTerminal = (stdin as { isTTY?: boolean }).isTTY === true;
  if (!isTerminal) return await say((await text(stdin)).trimEnd());
  const lines = createInterface({ input: stdin, output: stderr as NodeJS.WritableStream, prompt: '> ' });
  let exit = 0;
  let isOpen = true;
  lines.once('close', () => {
    isOpen = false;
  });
  // Between turns it is the end; in one, it is the turn's.
  lines.on('SIGINT', () => {
    if (!process.emit('SIGINT' as never)) lines.close();
  });
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== '') {
      exit = await say(line).catch((error: unknown) => {
        // A conversation outlives a message that is refused, and not an agent that is not there.
        if (!isRuntimeError(error, 'usage') && !(isRuntimeError(error) && error.retryable)) throw error;
        stderr.write(`runtime: ${asRuntimeError(error).message}\n`);
        return error.exitCode;
      });
    }
    if (isOpen) lines.prompt();
  }
  stderr.write('\n');
  return exit;
}

function speaker({
  client,
  invocation,
  json,
  ...options
}: ConverseOptions): (message: string) => Promise<number> {
  let { conversation } = options;
  return async (message) => {
    const left = new AbortController();
    let id: string | undefined;
    let asked = 0;
    const interrupt = () => {
      asked += 1;
      // The turn ends by itself then; who asks again does not want to wait for that.
      if (asked > 1 || id === undefined) left.abort();
      else client.cancel(id).catch(() => left.abort());
    };
    process.on('SIGINT', interrupt);
    try {
      const signal = AbortSignal.any([left.signal, invocation.hangup]);
      const turn = await printEvents(
        client.ask(message, conversation, signal),
        { stdout: invocation.stdout, stderr: invocation.stderr, json },
        (start) => {
          ({ id, conversation } = start);
          if (asked > 0) client.cancel(start.id).catch(() => left.abort());
        },
      );
      return ended(turn, invocation);
    } catch (error) {
      if (left.signal.aborted || invocation.hangup.aborted) return CANCELLED;
      throw error;
    } finally {
      process.off('SIGINT', interrupt);
    }
  };
}

function ended(turn: ShownTurn | undefined, { stderr }: Invocation): number {
  if (turn?.status === 'cancelled') {
    stderr.write('runtime: the turn was cancelled\n');
    return CANCELLED;
  }
  if (turn?.status !== 'completed') {
    const { code, message } = turn?.error ?? { code: 'failed', message: 'it failed' };
    stderr.write(`runtime: the turn failed: ${message} (${code})\n`);
    return 1;
  }
  if (turn.stopReason !== null && turn.stopReason !== 'end') {
    stderr.write(`runtime: the agent stopped early: ${turn.stopReason}\n`);
  }
  return 0;
}
