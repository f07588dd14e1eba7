import type { Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { excerpt, MAX_ANSWER_BYTES, parseAnswer } from '../../../bot/answers/answer.ts';
import { mergeParameters } from '../../../bot/answers/parameters.ts';
import { freePort } from '../../process/freePort.ts';
import { findListener } from '../http/findListener.ts';
import { ProgramClient } from '../program/programClient.ts';
import type { ProgramLaunch } from '../program/programLaunch.ts';
import { spawnProgram } from '../program/spawnProgram.ts';
import type { QueryResult } from './runQuery.ts';

const POLL_MS = 10;

export interface AskAsServerOptions {
  readonly launch: ProgramLaunch;
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly output: Writable;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The program's pid, and undefined when it has ended. */
  readonly onProgram: (pid: number | undefined) => void;
}

/** Runs the program as a server, asks it once and ends it: for where there can be no result file. */
export async function askAsServer(options: AskAsServerOptions): Promise<QueryResult> {
  const { launch, params, output, clock } = options;
  const path = options.path.startsWith('/') ? options.path : `/${options.path}`;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const port = await freePort();
  const program = spawnProgram(launch, { BOT_TYPE: 'realtime', THE0_QUERY_PORT: String(port) }, output);
  options.onProgram(program.pid);
  try {
    const ended = program.exited.then(({ reason }) => ({ failure: `the query program ${reason}` }));
    const asked = waitForListener(port, clock, signal).then((host) => ask(host, port, path, params, signal));
    return await Promise.race([asked, ended]);
  } finally {
    over.abort();
    await program.end(0);
    options.onProgram(undefined);
  }
}

async function ask(
  host: string,
  port: number,
  path: string,
  params: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<QueryResult> {
  const client = new ProgramClient({ host, port, maxConnections: 1, maxAnswerBytes: MAX_ANSWER_BYTES });
  const queryString = mergeParameters('', params);
  try {
    const { body } = await client.ask(encodeURI(path) + (queryString && `?${queryString}`), signal);
    const answer = parseAnswer(body);
    if (answer !== undefined) return { answer, bytes: body };
    return { failure: `the query program answered ${excerpt(body)}, which is not an answer object` };
  } finally {
    client.close();
  }
}

async function waitForListener(port: number, clock: Clock, signal: AbortSignal): Promise<string> {
  for (;;) {
    const host = await findListener(port);
    if (host !== undefined) return host;
    await clock.sleep(POLL_MS, signal);
  }
}
