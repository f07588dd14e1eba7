import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { isRuntimeError, RuntimeError } from '../../../base/errors.ts';
import type { ExecProcess, ExecRequest, LogChunk, TtySize } from '../engine.ts';
import { findContainer } from './containers/findContainer.ts';
import type { DockerContext } from './dockerContext.ts';
import { noAnswer } from './http/dockerError.ts';
import { readFrames } from './http/readFrames.ts';
import { killMarked, MARK } from './killMarked.ts';

/** The engine tells the end of the output before it knows the exit code. Milliseconds. */
const ASK_AGAIN_MS = 20;
const ASK_TIMES = 250;
/** The engine says what it could not run in the output, and 126 for all of it. */
const NOT_RUN = 126;
const NOT_FOUND = 127;
const BEGINNING = 512;
const notFound = /^OCI runtime exec failed: .*(executable file not found|no such file or directory)/;

/** Runs a program in a container that runs. The interface has no way to end it, so it carries a mark in its environment. */
export async function execInContainer(
  context: DockerContext,
  name: string,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecProcess> {
  const op = 'engine.exec';
  const { client } = context;
  const container = await findContainer(context, op, name, signal);
  if (!container) throw new RuntimeError('not-found', `${name}: no such container of this host`, { op });
  const mark = randomUUID();
  const { Id } = await client.call<{ readonly Id: string }>({
    op,
    subject: name,
    method: 'POST',
    path: `/containers/${container.Id}/exec`,
    body: execBody(request, mark),
    signal,
  });
  const socket = await client.hijack({
    op,
    subject: name,
    method: 'POST',
    path: `/exec/${Id}/start`,
    body: { Detach: false, Tty: request.tty !== undefined },
    timeoutMs: 60_000,
    signal,
  });
  // Read errors reach whoever reads; a write to a program that has ended is not an error.
  socket.on('error', () => undefined);

  const kill = (which: 'SIGINT' | 'SIGTERM' | 'SIGKILL') =>
    killMarked(context, container.Id, { mark, which, user: request.user });
  const abort = () => {
    socket.destroy(signal.reason as Error);
    void kill('SIGKILL').catch(() => undefined);
  };
  signal.addEventListener('abort', abort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', abort));

  const { promise: exit, resolve, reject } = Promise.withResolvers<number>();
  exit.catch(() => undefined);
  const resize = async ({ columns, rows }: TtySize) => {
    const query = { w: String(columns), h: String(rows) };
    try {
      await client.call({ op, subject: name, method: 'POST', path: `/exec/${Id}/resize`, query, signal });
    } catch (error) {
      // It has ended.
      if (!isRuntimeError(error, 'conflict', 'not-found')) throw error;
    }
  };
  if (request.tty) await resize(request.tty);

  const output = async function* (): AsyncGenerator<LogChunk> {
    try {
      let beginning = '';
      for await (const chunk of request.tty ? readTerminal(socket) : readFrames(socket)) {
        if (beginning.length < BEGINNING) beginning += Buffer.from(chunk.bytes.subarray(0, BEGINNING));
        yield chunk;
      }
      const code = await exitCode(context, Id, name, signal);
      resolve(code === NOT_RUN && notFound.test(beginning) ? NOT_FOUND : code);
    } catch (error) {
      const reason = signal.aborted ? (signal.reason as Error) : noAnswer(op, name, error);
      reject(reason);
      throw reason;
    } finally {
      socket.destroy();
      reject(new RuntimeError('unavailable', `${name}: its output was not read to the end`, { op }));
    }
  };

  return {
    output: output(),
    write: (bytes) => writeTo(socket, bytes),
    end: () => void socket.end(),
    resize,
    kill,
    exit,
  };
}

function execBody(request: ExecRequest, mark: string): Record<string, unknown> {
  const { argv, env, cwd, user, stdin, tty } = request;
  return {
    AttachStdin: stdin,
    AttachStdout: true,
    AttachStderr: true,
    Tty: tty !== undefined,
    Env: Object.entries({ ...env, [MARK]: mark }).map(([name, value]) => `${name}=${value}`),
    Cmd: argv,
    ...(cwd !== undefined && { WorkingDir: cwd }),
    ...(user && { User: `${user.uid}:${user.gid}` }),
  };
}

async function* readTerminal(socket: Duplex): AsyncGenerator<LogChunk> {
  for await (const bytes of socket as AsyncIterable<Buffer>) yield { stream: 'stdout', bytes };
}

async function exitCode(
  { client, clock }: DockerContext,
  id: string,
  name: string,
  signal: AbortSignal,
): Promise<number> {
  const request = {
    op: 'engine.exec',
    subject: name,
    method: 'GET',
    path: `/exec/${id}/json`,
    signal,
  } as const;
  for (let asked = 0; asked < ASK_TIMES; asked += 1) {
    const { Running, ExitCode } = await client.call<{ Running: boolean; ExitCode: number | null }>(request);
    if (!Running && ExitCode !== null) return ExitCode;
    await clock.sleep(ASK_AGAIN_MS, signal);
  }
  throw new Error('the output has ended, and the program not');
}

function writeTo(socket: Duplex, bytes: Uint8Array): Promise<void> {
  if (!socket.writable || socket.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.once('drain', done).once('close', done);
  });
}
