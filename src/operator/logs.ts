import { once } from 'node:events';
import { openBotStores } from '../agent/roles/openBotStores.ts';
import { systemClock } from '../base/clock.ts';
import type { Command, Output } from '../base/command/command.ts';
import { isRuntimeError, RuntimeError } from '../base/errors.ts';
import type { Config } from '../bot/config/config.ts';
import { botId, isObject, parseJson } from '../bot/config/parsers.ts';
import { readSmallFile } from '../bot/config/readSmallFile.ts';
import { formatLine, isSince, parseKeptLine } from '../bot/logs/shipped/keptLine.ts';
import { shippedLines } from '../bot/logs/shipped/shippedLines.ts';
import { loadNamed } from './loadNamed.ts';
import { localDirectory } from './localDirectory.ts';
import { parseSince } from './logs/parseSince.ts';

/** Between two looks of `--follow`; milliseconds. */
const POLL_MS = 2_000;
/** Text is written in pieces of about this many characters. */
const PIECE = 64 * 1024;

export const logs: Command = {
  name: 'logs',
  summary: "print a bot's shipped logs",
  positionals: 'BOT',
  options: {
    follow: { type: 'boolean', short: 'f', description: 'wait for more' },
    since: {
      type: 'string',
      value: 'T',
      description: 'only lines from T on: RFC 3339, or a duration ago (5m)',
    },
    json: { type: 'boolean', description: 'the lines as kept, one JSON object per line' },
  },
  details: `Lines are \`timestamp stream message\`. The running bot's latest lines come within its SYNC_INTERVAL.`,
  async run(invocation) {
    const { positionals, flags, stdout, hangup } = invocation;
    const [name = ''] = positionals;
    const dir = localDirectory(name, invocation);
    if (dir === undefined && botId.parse(name) === undefined)
      throw new RuntimeError(
        'usage',
        `${JSON.stringify(name)} is not a bot's name: expected ${botId.expects}`,
      );
    const since = typeof flags.since === 'string' ? parseSince(flags.since, systemClock.now()) : undefined;
    const { config, log } = await loadNamed(invocation, { name, dir, speaker: 'logs' });
    const bot = dir === undefined ? name : config.botId;
    const stores = await openBotStores(config, log);
    try {
      const lines = shippedLines(await stores.open('logs'), bot, since);
      for (;;) {
        const wanted = select(lines.next(hangup), since, flags.json === true);
        await print(wanted, stdout, hangup);
        if (!lines.found) throw unknownBot(bot, dir, config);
        if (!flags.follow) return 0;
        await systemClock.sleep(POLL_MS, hangup);
      }
    } catch (error) {
      if (hangup.aborted) return 0;
      throw isRuntimeError(error, 'not-found') ? unknownBot(bot, dir, config) : error;
    } finally {
      await stores.close();
    }
  },
};

async function* select(
  lines: AsyncIterable<Buffer>,
  since: number | undefined,
  asKept: boolean,
): AsyncGenerator<string> {
  for await (const line of lines) {
    const text = line.toString('utf8');
    const kept = asKept && since === undefined ? undefined : parseKeptLine(text);
    if (since !== undefined && !isSince(kept, since)) continue;
    yield asKept ? text : formatLine(kept, text);
  }
}

async function print(lines: AsyncIterable<string>, to: Output, hangup: AbortSignal): Promise<void> {
  let piece = '';
  const flush = async () => {
    const text = piece;
    piece = '';
    if (text !== '' && !to.write(text)) await once(to, 'drain', { signal: hangup });
  };
  for await (const line of lines) {
    piece += `${line}\n`;
    if (piece.length > PIECE) await flush();
  }
  await flush();
}

function unknownBot(bot: string, dir: string | undefined, { paths }: Config): RuntimeError {
  return new RuntimeError('not-found', `there are no logs of a bot "${bot}"`, {
    op: 'logs.read',
    hint:
      dir === undefined
        ? 'Check the name, STORE_URL or MINIO_*, and MINIO_LOGS_BUCKET; a bot that has just started ships its first lines after SYNC_INTERVAL.'
        : silenceOf(paths.exitFile),
  });
}

/** Why a bot in a folder may have no logs: what `exit.json` says of its last run. */
function silenceOf(exitFile: string): string {
  const end = parseJson(readSmallFile(exitFile, []) ?? '');
  if (!isObject(end) || typeof end.exit !== 'number')
    return 'No run of it has ended yet; while it runs, its first lines come after SYNC_INTERVAL.';
  const neverRan = end.source === 'runtime' && end.code === null && end.signal === null;
  const what = neverRan ? 'its last start failed' : 'it has printed nothing; its last run ended';
  return `${what} with ${end.exit}: ${end.reason} (${exitFile}).`;
}
