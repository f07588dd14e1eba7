import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../../base/clock.ts';
import { whenAborted } from '../../base/whenAborted.ts';
import { asBoxError, invalid } from '../http/boxError.ts';
import type { JsonObject } from '../http/readJson.ts';
import { loggedEvents } from '../output/loggedEvents.ts';
import { readLog } from '../output/readLog.ts';
import { DETACH_MS, type Detached } from './detached.ts';
import type { Opened } from './openConnection.ts';
import { readSide } from './readSide.ts';
import type { Terminals } from './terminals.ts';

const INIT_MS = 10_000;
/** Whoever answers none of two of these has gone. */
const PING_MS = 30_000;
/** Of what a terminal has printed, for whoever comes back to it, bytes, and up to a segment more. */
const REPLAY_BYTES = 256 * 1024;
/** RFC 6455, 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;

export interface SocketParts {
  readonly terminals: Terminals;
  readonly detached: Detached;
  readonly clock: Clock;
}

/** One connection to a terminal, until either ends. */
export async function serveSocket(
  socket: WebSocket,
  open: (init: JsonObject) => Promise<Opened>,
  parts: SocketParts,
): Promise<void> {
  const { terminals, detached, clock } = parts;
  const over = new AbortController();
  socket.once('close', () => over.abort());
  socket.on('error', () => undefined);
  const tell = (message: object) =>
    new Promise<void>((resolve) => socket.send(JSON.stringify(message), () => resolve()));
  let session: string | undefined;
  let attached: Disposable | undefined;

  const begin = async (data: RawData, isBinary: boolean) => {
    const init = readFrame(data, isBinary);
    if (init.type !== 'init') throw invalid('type', 'of the first frame is not init');
    const { view, restored } = await open(init);
    session = view.sessionId;
    attached = detached.attach(session);
    const connectionId = view.connectionId ?? session;
    await tell({ type: 'ready', connectionId, sessionId: session, restored, detachTimeoutMs: DETACH_MS });
    show(session, restored).catch(() => socket.terminate());
  };

  const take = async (id: string, data: RawData, isBinary: boolean) => {
    if (isBinary) return terminals.write(id, bytesOf(data));
    const frame = readFrame(data, isBinary);
    if (frame.type === 'resize') {
      const { cols, rows } = terminals.get(id);
      await terminals.resize(id, {
        cols: readSide(frame, 'cols', cols),
        rows: readSide(frame, 'rows', rows),
      });
    } else if (frame.type === 'input') {
      if (typeof frame.data !== 'string') throw invalid('data', 'is not a string');
      terminals.write(id, frame.data);
    }
  };

  /** What it has printed, and prints, as fast as the client takes it. */
  const show = async (id: string, restored: boolean) => {
    const log = terminals.log(id);
    const from = restored ? log.segmentAt(Math.max(log.start, log.end - REPLAY_BYTES))?.start : undefined;
    const cursor = { after: 0, ...(from !== undefined && { from }), clock, signal: over.signal };
    for await (const { type, data } of loggedEvents(readLog(log, cursor))) {
      if (over.signal.aborted) return;
      if (type === 'gap') await bytes(`\r\n[${data.bytes} bytes are missing]\r\n`);
      else if (data.type === 'terminal.exited') {
        const { exitCode, signal } = data.properties as { exitCode: number | null; signal: string | null };
        await tell({
          type: 'exit',
          ...(exitCode !== null && { exitCode }),
          ...(signal !== null && { exitSignal: signal }),
        });
      } else await bytes((data.properties as { text: string }).text);
    }
    socket.close(NORMAL, 'the terminal has ended');
  };
  const bytes = (text: string) =>
    new Promise<void>((resolve) => socket.send(Buffer.from(text), () => resolve()));

  let isReady = false;
  let turn = Promise.resolve();
  socket.on('message', (data, isBinary) => {
    // One after the other, and no more is read meanwhile.
    socket.pause();
    turn = turn
      .then(() => (session === undefined ? begin(data, isBinary) : take(session, data, isBinary)))
      .then(() => {
        isReady = true;
      })
      .catch(async (thrown: unknown) => {
        const { message, code } = asBoxError(thrown);
        await tell({ type: 'error', message, code });
        if (session === undefined) socket.close(POLICY, message.slice(0, 100));
      })
      .finally(() => socket.resume());
  });
  void clock.sleep(INIT_MS, over.signal).then(
    () => isReady || socket.close(POLICY, 'there was no init'),
    () => undefined,
  );
  void keepAlive(socket, clock, over.signal);
  try {
    await whenAborted(over.signal);
  } finally {
    attached?.[Symbol.dispose]();
  }
}

async function keepAlive(socket: WebSocket, clock: Clock, signal: AbortSignal): Promise<void> {
  let unanswered = 0;
  socket.on('pong', () => {
    unanswered = 0;
  });
  while (!signal.aborted) {
    await clock.sleep(PING_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    if (unanswered >= 2) return socket.terminate();
    unanswered += 1;
    socket.ping();
  }
}

/** Throws `BoxError` 400. */
function readFrame(data: RawData, isBinary: boolean): JsonObject {
  try {
    const read: unknown = isBinary ? undefined : JSON.parse(bytesOf(data).toString());
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as JsonObject;
  } catch {
    // What it was instead is not repeated.
  }
  throw invalid('frame', 'is no JSON object');
}

const bytesOf = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
