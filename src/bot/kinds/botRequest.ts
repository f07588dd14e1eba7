import type { Config } from '../config/config.ts';
import type { LaunchRequest } from './kind.ts';

/** What a kind is asked to launch for the bot itself. */
export function botRequest(config: Config): LaunchRequest {
  return {
    role: 'bot',
    botId: config.botId,
    botConfig: config.botConfig,
    botType: config.botType,
    entrypoint: config.entrypoint,
    answersMessages: config.agent?.entrypoint !== undefined,
    codePath: config.paths.code,
    stateDir: config.paths.stateDir,
    task: config.task,
  };
}
