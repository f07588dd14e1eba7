import { createTurns } from '../../base/createTurns.ts';
import type { Box } from '../box.ts';
import { readCommand, readText } from '../commands/readCommand.ts';
import { invalid } from '../http/boxError.ts';
import type { JsonObject } from '../http/readJson.ts';
import { readSide } from './readSide.ts';
import type { TerminalView } from './terminal.ts';
import type { Terminals } from './terminals.ts';

const MOST_COMMAND_CHARACTERS = 32 * 1024;

export interface Opened {
  readonly view: TerminalView;
  /** It was there before. */
  readonly restored: boolean;
}

/** The terminal of a connection: the one that it had, if that still runs, or that it names; else one of its own. Throws `BoxError`. */
export function openConnection(
  { config }: Box,
  terminals: Terminals,
): (id: string, init: JsonObject) => Promise<Opened> {
  /** Two that come with one id get one terminal. */
  const inTurn = createTurns();

  async function open(id: string, init: JsonObject): Promise<Opened> {
    const { cwd, env } = readCommand(init, config);
    const command = init.command ? readText(init, 'command') : undefined;
    if ((command?.length ?? 0) > MOST_COMMAND_CHARACTERS) throw invalid('command', 'is too long');
    const found = terminals.find(id);
    const size = { cols: readSide(init, 'cols', 80), rows: readSide(init, 'rows', 24) };
    if (found === undefined || (!found.isRunning && found.sessionId !== id)) {
      const view = await terminals.open({ name: undefined, connectionId: id, command, cwd, env, ...size });
      return { view, restored: false };
    }
    const isAsked = init.cols !== undefined && init.rows !== undefined;
    const view = found.isRunning && isAsked ? await terminals.resize(found.sessionId, size) : found;
    return { view, restored: true };
  }

  return (id, init) => inTurn(id, () => open(id, init));
}
