import type { Sample } from './sample.ts';
import { settings } from './settings.ts';

export const nodejs: Sample = (name) => ({
  ...settings({ name, kind: 'nodejs20', bot: 'main.js', query: 'query.js' }),
  'main.js': bot,
  'query.js': query,
});

const bot = `// Counts its runs; as a realtime bot, one every ten seconds until it is stopped.
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

exports.main = async (botId, config) => {
  run(botId, config);
  while (process.env.BOT_TYPE === 'realtime') {
    await sleep(10_000);
    run(botId, config);
  }
};

function run(botId, config) {
  const file = join(process.env.STATE_DIR, 'runs.json');
  const runs = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) + 1 : 1;
  console.log((config.greeting ?? 'Hi') + ' from ' + botId + ', run ' + runs);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(runs));
}
`;

const query = `// Answers queries: as a server on THE0_QUERY_PORT, or one query, into /query/result.json.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');

function answer(path, params) {
  if (path === '/status') {
    const file = join(process.env.STATE_DIR, 'runs.json');
    const runs = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : 0;
    return { status: 'ok', data: { runs, params } };
  }
  return { status: 'error', error: 'no such query: ' + path };
}

const { THE0_QUERY_PORT: port, QUERY_PATH: path, QUERY_PARAMS: params } = process.env;
if (port) {
  createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const result = answer(url.pathname, Object.fromEntries(url.searchParams));
    response.writeHead(result.status === 'ok' ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(result));
  }).listen(Number(port), '127.0.0.1');
} else {
  writeFileSync('/query/result.json', JSON.stringify(answer(path, JSON.parse(params || '{}'))));
}
`;
