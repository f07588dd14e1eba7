import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../base/errors.ts';

/** Descriptor 3 of a program that has a launcher (`Launch.control`), seen from us. */
export interface Control {
  /** The code is there: the launcher may run it. */
  go(): void;
  /** With which the launcher has refused to run it, once it has closed the descriptor. Never rejects. */
  readonly refusal: Promise<RuntimeError | undefined>;
}

/** Longest refusal that a launcher may send, bytes. */
const MAX_REFUSAL = 64 * 1024;

/**
 * Sends the launcher its program, and listens to what it says. `isKept`: the launcher leaves it open for messages (`Launch.channel`); a
 * refusal then is its first line.
 */
export function openControl(socket: Duplex, program: string, isKept = false): Control {
  let answer = '';
  const closed = new Promise<void>((resolve) => {
    // A program that is gone before it has read everything: its exit tells.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.on('data', (chunk: Buffer | string) => {
      if (isKept && answer.includes('\n')) return;
      if (answer.length < MAX_REFUSAL) answer += chunk.toString();
    });
  });
  socket.write(program);
  return {
    go: () => {
      if (isKept) socket.write('go\n');
      else socket.end('go\n');
    },
    refusal: closed.then(() => parseRefusal(isKept ? answer.split('\n', 1).join() : answer)),
  };
}

/** Only the launcher can have written it: it closes the descriptor before it runs anything of the bot's. */
function parseRefusal(answer: string): RuntimeError | undefined {
  if (answer.trim() === '') return undefined;
  try {
    const { code, message } = JSON.parse(answer) as { code?: unknown; message?: unknown };
    if (code === 'config' && typeof message === 'string')
      return new RuntimeError('config', message, { op: 'bot.start' });
  } catch {
    // Falls through: this was no refusal.
  }
  return undefined;
}
