// Answers /days and /report?day=2026-01-31 (the newest unless given): as a server, or one query into a file.
const { writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { readReport, reportedDays } = require('./reports.js');

function answer(path, params) {
  const days = reportedDays();
  if (path === '/days') return { status: 'ok', data: days };
  if (path !== '/report') return { status: 'error', error: 'ask /days or /report' };
  const day = params.day ?? days.at(-1);
  if (!days.includes(day)) return { status: 'error', error: `no report on ${day}` };
  return { status: 'ok', data: readReport(day) };
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
