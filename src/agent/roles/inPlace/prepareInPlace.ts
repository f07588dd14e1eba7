import type { Invocation } from '../../../base/command/command.ts';
import type { LoadedBot } from '../loadBot.ts';
import { chooseQueryPort } from './chooseQueryPort.ts';
import { tellStart } from './narrate.ts';
import { withDebugger } from './withDebugger.ts';

/** The bot in `dir` as a person wants it to run, who is told so. */
export async function prepareInPlace(
  bot: LoadedBot,
  { inspect, debugpy }: Invocation['flags'],
  dir: string,
): Promise<LoadedBot> {
  const prepared = await chooseQueryPort(withDebugger(bot, { inspect, debugpy }));
  tellStart(prepared, dir);
  return prepared;
}
