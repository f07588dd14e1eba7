import type { Config } from '../config/config.ts';
import { botRequest } from './botRequest.ts';
import type { LaunchRequest } from './kind.ts';

/** What a kind is asked to launch for the bot's queries. */
export function queryRequest(config: Config): LaunchRequest {
  return {
    ...botRequest(config),
    role: 'query',
    answersMessages: false,
    entrypoint: config.queryEntrypoint ?? config.entrypoint,
  };
}
