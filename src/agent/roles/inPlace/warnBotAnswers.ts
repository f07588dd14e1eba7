import type { LoadedBot } from '../loadBot.ts';

/** Tells a person who asks a bot without a query program what answers: contract, section 6, has the bot itself do it. */
export function warnBotAnswers({ config, log }: LoadedBot): void {
  if (config.queryEntrypoint !== undefined) return;
  log.warn(
    `${config.botId} has no query program (entrypoints.query, QUERY_ENTRYPOINT): the bot itself is run for this query, with all that it does`,
  );
}
