import type { Invocation, Output } from '../../../base/command/command.ts';
import { transferProgress } from '../../../base/command/transferProgress.ts';
import { writeServedPort } from '../../../bot/answers/servedPort.ts';
import { isServed } from '../../../bot/config/config.ts';
import type { LoadedBot } from '../loadBot.ts';
import { chooseQueryPort } from './chooseQueryPort.ts';
import { tellStart } from './narrate.ts';
import { withDebugger } from './withDebugger.ts';

/** The bot in `dir` as a person wants it to run, who is told so. */
export async function prepareInPlace(
  bot: LoadedBot,
  { inspect, debugpy }: Invocation['flags'],
  dir: string,
  stderr: Output,
): Promise<LoadedBot> {
  const prepared = await chooseQueryPort(withDebugger(bot, { inspect, debugpy }));
  const { config } = prepared;
  if (isServed(config)) writeServedPort(config.paths.code, { port: config.query.port, pid: process.pid });
  tellStart(prepared, dir);
  const progress = transferProgress(stderr, () => performance.now());
  return {
    ...prepared,
    onPulling: (transferred) => {
      progress.update(transferred);
      if (transferred.bytes >= transferred.totalBytes) progress.end();
    },
  };
}
