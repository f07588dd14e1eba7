import type { ProgramChannel } from '../../process/startProgram.ts';

/** Bytes that may be on their way to the query server. An agent that says more waits until they have arrived. */
const UNDER_WAY = 1024 * 1024;

/** What an agent's process says and is told. The process that keeps the agent passes it on as it comes. */
export interface Sayings {
  /** A new process has replaced the earlier one. */
  from(channel: ProgramChannel | undefined): void;
  /** The reader of what the agent says. Nothing is read before there is one. `onItsWay` is called once nobody has to wait for the bytes. */
  to(pass: (text: string, onItsWay: () => void) => void): void;
  say(text: string): void;
}

export function createSayings(): Sayings {
  let current: ProgramChannel | undefined;
  let pass: ((text: string, onItsWay: () => void) => void) | undefined;
  let underWay = 0;

  const listen = (channel: ProgramChannel) => {
    channel.readable.setEncoding('utf8');
    channel.readable.on('data', (text: string) => {
      if (channel !== current) return;
      underWay += text.length;
      if (underWay > UNDER_WAY) channel.readable.pause();
      pass?.(text, () => {
        underWay -= text.length;
        if (underWay <= UNDER_WAY && channel === current) channel.readable.resume();
      });
    });
    channel.readable.on('error', () => undefined);
  };

  return {
    from: (channel) => {
      current?.readable.resume();
      current = channel;
      if (channel && pass) listen(channel);
    },
    to: (receiver) => {
      const isFirst = pass === undefined;
      pass = receiver;
      if (isFirst && current) listen(current);
    },
    say: (text) => void current?.writable.write(text),
  };
}
