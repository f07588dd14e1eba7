import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** What happens to one request. */
export type Fault =
  /** Forwards it after this many milliseconds. */
  | { readonly delayMs: number }
  /** Forwards it once this has resolved. */
  | { readonly until: Promise<unknown> }
  /** Closes the client's connection at once, with a TCP reset. */
  | { readonly reset: true }
  /** Forwards this many bytes of the request's body, then cuts both connections. */
  | { readonly cutRequestAfter: number }
  /** Hands back this many bytes of the answer's body, then cuts. */
  | { readonly cutResponseAfter: number }
  /** Flips the first byte of the request's body: the length stays. */
  | { readonly corruptRequest: true }
  | { readonly corruptResponse: true }
  /** Takes the request and never says a word. */
  | { readonly hang: true }
  /** Hands back the head of the answer and this many bytes, then stays silent with the connection open. */
  | { readonly stallResponseAfter: number }
  /** The store executes the request; the answer is lost. */
  | { readonly dropResponse: true }
  /** Calls this, and the store never hears of the request. */
  | { readonly killBefore: () => void }
  /** The store executes the request; then this is called, and the answer is lost. */
  | { readonly killAfter: () => void }
  /** No fault of the line: the store's clock, as its answer tells it, is ahead by this much. */
  | { readonly clockAheadMs: number }
  /** A gateway that knows no ranges: the whole object instead. */
  | { readonly withoutRange: true }
  /** The same from memory, where the range is signed for: these bytes, whatever was asked for. */
  | { readonly whole: Buffer }
  /** A proxy that takes this header out of the answer. */
  | { readonly withoutHeader: string }
  /** A proxy that packs the answer with gzip, and says so. */
  | { readonly packed: true }
  /** A portal: a page, and the store never hears of the request. */
  | { readonly page: string; readonly status?: number }
  /** An answer in S3's form, without asking the store: `{ status: 503, code: 'SlowDown' }`. A good one has no body. */
  | { readonly status: number; readonly code: string; readonly headers?: Record<string, string> };

export interface ProxiedRequest {
  readonly method: string;
  /** With the query: `/bucket/key?partNumber=1`. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** From 1, over all requests. */
  readonly count: number;
}

export interface Rule {
  readonly when: (request: ProxiedRequest) => boolean;
  readonly fault: Fault;
  /** How many requests it strikes; default 1. */
  readonly times?: number;
}

export interface FaultProxy {
  /** Origin, to be used instead of the store's. */
  readonly endpoint: string;
  readonly port: number;
  /** Every request so far, the fault that struck it, and whether it has been answered or cut. */
  readonly requests: readonly (ProxiedRequest & {
    readonly fault: Fault | undefined;
    readonly isOver: boolean;
  })[];
  /** The first rule that fits strikes. Returns a function that takes the rule back. */
  inject(rule: Rule): () => void;
  close(): Promise<void>;
}

/** Where the server itself is: a port of this machine, or a socket. */
export type Upstream = { readonly host: string; readonly port: number } | { readonly socketPath: string };

/** A proxy that acts on bytes and requests; signatures stay good, because the host that was signed is handed on. */
export async function startFaultProxy(upstream: number | Upstream): Promise<FaultProxy> {
  const address = typeof upstream === 'number' ? { host: '127.0.0.1', port: upstream } : upstream;
  const rules: { rule: Rule; left: number }[] = [];
  const requests: (ProxiedRequest & { fault: Fault | undefined; isOver: boolean })[] = [];
  const sockets = new Set<Socket>();

  const choose = (proxied: ProxiedRequest): Fault | undefined => {
    const hit = rules.find(({ rule, left }) => left > 0 && rule.when(proxied));
    if (hit) hit.left -= 1;
    return hit?.rule.fault;
  };

  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const proxied = { method, path: url, headers, count: requests.length + 1 };
    const fault = choose(proxied);
    const request = { ...proxied, fault, isOver: false };
    requests.push(request);
    // A connection that a fault cut fails its streams: that is the purpose.
    const { socket } = incoming;
    handle(incoming, outgoing, address, fault)
      .catch(() => socket.destroy())
      .finally(() => {
        request.isOver = true;
      });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    requests,
    inject(rule) {
      const entry = { rule, left: rule.times ?? 1 };
      rules.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  address: Upstream,
  fault: Fault | undefined,
): Promise<void> {
  const socket = incoming.socket;
  if (fault === undefined) return await forward(incoming, outgoing, address, {});
  if ('reset' in fault) return void socket.resetAndDestroy();
  if ('killBefore' in fault) {
    fault.killBefore();
    return void socket.resetAndDestroy();
  }
  if ('hang' in fault) return void incoming.resume();
  if ('page' in fault) {
    incoming.resume();
    await once(incoming, 'end');
    const { page, status = 200 } = fault;
    outgoing.writeHead(status, { 'content-type': 'text/html; charset=utf-8', etag: '"a-page"' });
    return void outgoing.end(page);
  }
  if ('whole' in fault) {
    outgoing.writeHead(200, { etag: '"whole"', 'content-length': fault.whole.length });
    return void outgoing.end(fault.whole);
  }
  if ('status' in fault) {
    incoming.resume();
    await once(incoming, 'end');
    const body = `<?xml version="1.0"?><Error><Code>${fault.code}</Code></Error>`;
    outgoing.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
    return void outgoing.end(incoming.method === 'HEAD' || fault.status < 300 ? undefined : body);
  }
  if ('delayMs' in fault) await sleep(fault.delayMs);
  if ('until' in fault) await fault.until;
  await forward(incoming, outgoing, address, {
    ...('cutRequestAfter' in fault && { request: first(fault.cutRequestAfter, () => socket.destroy()) }),
    ...('cutResponseAfter' in fault && { response: first(fault.cutResponseAfter, () => socket.destroy()) }),
    ...('stallResponseAfter' in fault && { response: first(fault.stallResponseAfter, () => {}) }),
    ...('corruptRequest' in fault && { request: flipped() }),
    ...('corruptResponse' in fault && { response: flipped() }),
    ...('dropResponse' in fault && { drop: () => undefined }),
    ...('killAfter' in fault && { drop: fault.killAfter }),
    ...('withoutRange' in fault && { withoutRange: true }),
    ...('withoutHeader' in fault && { withoutHeader: fault.withoutHeader }),
    ...('packed' in fault && { packed: true }),
    ...('clockAheadMs' in fault && { clockAheadMs: fault.clockAheadMs }),
  });
}

interface Tampering {
  readonly request?: Transform;
  readonly response?: Transform;
  /** Called when the store has answered; the answer is lost. */
  readonly drop?: () => void;
  readonly clockAheadMs?: number;
  readonly withoutRange?: boolean;
  readonly withoutHeader?: string;
  readonly packed?: boolean;
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  address: Upstream,
  tampering: Tampering,
): Promise<void> {
  const { expect: _, range, ...others } = incoming.headers;
  // What MinIO gives a range for, it signs for: its signature does not cover this header.
  const headers = range === undefined || tampering.withoutRange ? others : { ...others, range };
  const { method, url: path, socket } = incoming;
  const upstream = request({ ...address, method, path, headers, agent: false });
  // Whoever is cut, the other side is cut too, as it would be on one line.
  const cut = () => upstream.destroy();
  socket.once('close', cut);
  upstream.once('close', () => socket.off('close', cut));
  const answered = once(upstream, 'response') as Promise<[IncomingMessage]>;
  const sent = tampering.request
    ? pipeline(incoming, tampering.request, upstream)
    : pipeline(incoming, upstream);
  sent.catch(() => {});
  const [answer] = await answered;
  if (tampering.drop) {
    for await (const _ of answer);
    tampering.drop();
    return void socket.destroy();
  }
  const { date, ...kept } = answer.headers;
  const told = new Date(Date.parse(date ?? '') + (tampering.clockAheadMs ?? 0)).toUTCString();
  if (tampering.withoutHeader !== undefined) delete kept[tampering.withoutHeader];
  if (tampering.packed) {
    const bytes = gzipSync(Buffer.concat(await answer.toArray()));
    outgoing.writeHead(answer.statusCode ?? 502, {
      ...kept,
      'content-encoding': 'gzip',
      'content-length': bytes.length,
    });
    return void outgoing.end(bytes);
  }
  outgoing.writeHead(answer.statusCode ?? 502, date === undefined ? kept : { ...kept, date: told });
  if (tampering.response) {
    outgoing.flushHeaders();
    await pipeline(answer, tampering.response, outgoing);
  } else await pipeline(answer, outgoing);
}

/** Passes `limit` bytes on; then calls `then` and passes nothing more. */
function first(limit: number, then: () => void): Transform {
  let left = limit;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      this.push(part);
      if (left > 0) return done();
      // `done` is never called: nothing more moves. What was pushed gets out first.
      setTimeout(then, 50);
    },
  });
}

function flipped(): Transform {
  let done = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      const copy = Buffer.from(chunk);
      if (!done && copy.length > 0) copy[0] = (copy[0] ?? 0) ^ 0xff;
      done ||= copy.length > 0;
      next(null, copy);
    },
  });
}
