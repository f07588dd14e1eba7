import { readFileSync } from 'node:fs';
import { quoteWord } from '../../../base/quoteWord.ts';
import type { ExitRecord } from '../../supervisor/life/exitRecord.ts';
import type { LoadedBot } from '../loadBot.ts';

/** Tells a person what runs, where its state lies, and how to look at it. Scripts, which read JSON lines, are told nothing. */
export function tellStart({ config, log }: LoadedBot, dir: string): void {
  if (config.log.format !== 'text') return;
  const { botId, kind, entrypoint, botType, paths, query, queryEntrypoint, agent } = config;
  log.info(`running ${botId} (${kind}, ${botType}): ${oneLine(entrypoint)}`);
  log.info(`its state is in ${paths.state}, and as snapshots in its store: runtime state ls ${quoted(dir)}`);
  if (agent) log.info(`talk to it: runtime ask http://127.0.0.1:${query.port} "hello"`);
  if (queryEntrypoint === undefined) return;
  const isServed = botType === 'realtime';
  log.info(
    isServed
      ? `ask it: runtime query http://127.0.0.1:${query.port} PATH`
      : `ask it: runtime query ${quoted(dir)} PATH answers from what it has saved`,
  );
}

/** What has become of it. */
export function tellEnd({ config, log }: LoadedBot, dir: string): void {
  if (config.log.format !== 'text') return;
  try {
    const record = JSON.parse(readFileSync(config.paths.exitFile, 'utf8')) as ExitRecord;
    const state = record.stateSaved ? 'its state is saved' : 'its state is not saved';
    const reason = record.source === 'bot' && record.exit === 0 ? '' : ` (${record.reason})`;
    const after = ((Date.parse(record.endedAt) - Date.parse(record.startedAt)) / 1000).toFixed(1);
    log.info(
      `ended with ${record.exit}${reason} after ${after} s; ${state}; its output: runtime logs ${quoted(dir)}`,
    );
  } catch {
    // There is no record where nothing could be written; why has been said.
  }
}

function oneLine(text: string): string {
  const [first = '', ...more] = text.trim().split('\n');
  return more.length === 0 ? first : `${first} …`;
}

/** As it can be typed again. */
function quoted(dir: string): string {
  const path = dir.includes('/') || dir === '.' || dir === '..' ? dir : `./${dir}`;
  return /^[\w./@%+=:,-]+$/.test(path) ? path : quoteWord(path);
}
