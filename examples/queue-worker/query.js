// Answers /status and /job?id=7: as a server while the bot runs, else one query into a file.
const { writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { Queue } = require('./queue.js');

function answer(path, params) {
  const queue = Queue.read();
  if (path === '/status') {
    const { waiting, done, failed } = queue;
    return { status: 'ok', data: { waiting: waiting.length, done: done.size, failed: failed.size } };
  }
  if (path !== '/job') return { status: 'error', error: 'ask /status or /job?id=…' };
  const job = queue.job(Number(params.id));
  return job ? { status: 'ok', data: job } : { status: 'error', error: `no job ${params.id}` };
}

const { THE0_QUERY_PORT: port, QUERY_PATH: path, QUERY_PARAMS: params } = process.env;
if (port) {
  createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(answer(url.pathname, Object.fromEntries(url.searchParams))));
  }).listen(Number(port), '127.0.0.1');
} else {
  writeFileSync('/query/result.json', JSON.stringify(answer(path, JSON.parse(params || '{}'))));
}
