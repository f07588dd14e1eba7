import type { Output } from '../../base/command/command.ts';
import type { AskedEvent, ShownTurn } from './agentClient.ts';

export interface PrintOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  /** One line of JSON for each event. */
  readonly json: boolean;
}

// What an agent says must not move an operator's cursor, let alone more.
const controls = /[^\P{Cc}\n\t]/gu;

/** Prints a turn as it comes: what it says on stdout; on a terminal what it does on stderr. Resolves with how it has ended. */
export async function printEvents(
  events: AsyncIterable<AskedEvent>,
  { stdout, stderr, json }: PrintOptions,
  onStart: (event: AskedEvent & { readonly type: 'start' }) => void,
): Promise<ShownTurn | undefined> {
  const dim = (text: string) => {
    if (stdout.isTTY && stderr.isTTY) stderr.write(`\x1b[2m${text}\x1b[0m`);
  };
  let atLineStart = true;
  let lastTool = '';
  for await (const event of events) {
    if (event.type === 'start') onStart(event);
    if (json) stdout.write(`${JSON.stringify(event)}\n`);
    else if (event.type === 'delta') {
      stdout.write(stdout.isTTY ? event.text.replace(controls, '\ufffd') : event.text);
      atLineStart = event.text.endsWith('\n');
    } else if (event.type === 'tool' && lastTool !== `${event.id} ${event.status}`) {
      lastTool = `${event.id} ${event.status}`;
      dim(
        `${atLineStart ? '' : '\n'}[${event.name.replace(controls, '')}: ${event.status.replace(controls, '')}]\n`,
      );
      atLineStart = true;
    }
    if (event.type !== 'end') continue;
    if (!json && !atLineStart) stdout.write('\n');
    return event.turn;
  }
  return undefined;
}
