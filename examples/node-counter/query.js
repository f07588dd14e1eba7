// Answers queries: as a server on THE0_QUERY_PORT, or one query, into /query/result.json.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');

function answer(path, params) {
  if (path === '/status') {
    const file = join(process.env.STATE_DIR, 'runs.json');
    const runs = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : 0;
    return { status: 'ok', data: { runs, params } };
  }
  return { status: 'error', error: `no such query: ${path}` };
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
