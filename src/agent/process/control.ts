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

/** Sends the launcher its program, and listens to what it says. */
export function openControl(socket: Duplex, program: string): Control {
  let answer = '';
  const closed = new Promise<void>((resolve) => {
    // A program that is gone before it has read everything: its exit tells.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      if (answer.length < MAX_REFUSAL) answer += chunk.toString('utf8');
    });
  });
  socket.write(program);
  return {
    go: () => {
      socket.end('go\n');
    },
    refusal: closed.then(() => parseRefusal(answer)),
  };
}

/** Only the launcher can have written it: it closes the descriptor before it runs anything of the bot's. */
function parseRefusal(answer: string): RuntimeError | undefined {
  if (answer.trim() === '') return undefined;
  try {
    const { message } = JSON.parse(answer) as { message?: unknown };
    if (typeof message === 'string') return new RuntimeError('config', message, { op: 'bot.start' });
  } catch {
    // Falls through: whatever it was, it was no refusal.
  }
  return undefined;
}
