import type { IncomingMessage } from 'node:http';
import { RuntimeError } from '../../base/errors.ts';
import type { BotView, HostApi } from '../api/hostApi.ts';
import type { HostEvent } from '../journal/event.ts';
import { follow } from './follow.ts';
import { MAX_BODY_BYTES } from './wire.ts';

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly body: IncomingMessage;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/** A value as JSON, or bytes as they come. */
export type Answer = { readonly value: unknown } | { readonly stream: AsyncIterable<Uint8Array> };

/** The operator's calls. Undefined: there is no such one. */
export async function route(api: HostApi, call: Call): Promise<Answer | undefined> {
  const { method, url } = call;
  const [, version, what, name, verb] = url.pathname.split('/').map(decodeURIComponent);
  if (version !== 'v1') return undefined;
  const path = `${method} ${what}`;
  if (what === 'bots' && name !== undefined) return await ofBot(api, call, name, verb);
  switch (path) {
    case 'GET status':
      return { value: api.status() };
    case 'GET bots':
      return { value: api.bots() };
    case 'GET changes':
      return { stream: await changes(api, call) };
    case 'GET events':
      return await events(api, call);
    case 'POST bots':
      return { value: { name: await api.apply(await readText(call.body)) } };
    case 'POST drain':
      return { value: await api.drain() };
    case 'POST resume':
      return { value: await api.resume() };
    case 'POST confirm':
      return { value: await api.allowMassDelete() };
    default:
      return undefined;
  }
}

async function ofBot(api: HostApi, call: Call, name: string, verb = ''): Promise<Answer | undefined> {
  const { url, signal } = call;
  switch (`${call.method} ${verb}`) {
    case 'GET ':
      return { value: known(api, name) };
    case 'DELETE ':
      return { value: await api.remove(name) };
    case 'GET logs': {
      const tail = number(url, 'tail');
      const chunks = api.logs(name, { tail, follow: url.searchParams.has('follow') }, signal);
      return { stream: bytesOf(chunks) };
    }
    case 'POST enable':
    case 'POST disable':
      return { value: await api.enable(name, verb === 'enable') };
    case 'POST run':
      return { value: { time: await api.run(name) } };
    case 'POST restart':
      return { value: await api.restart(name) };
    case 'POST rollback':
      return { value: await api.rollback(name, number(url, 'at')) };
    case 'POST token':
      return { value: { token: await api.token(name) } };
    default:
      return undefined;
  }
}

function known(api: HostApi, name: string): BotView {
  const view = api.bot(name);
  if (view !== undefined) return view;
  throw new RuntimeError('not-found', `no bot ${name}`, { hint: '`runtime bots ls` lists them.' });
}

async function events(api: HostApi, { url, signal }: Call): Promise<Answer> {
  const bot = url.searchParams.get('bot') ?? undefined;
  const limit = number(url, 'limit');
  const afterId = number(url, 'after');
  const query = {
    ...(bot === undefined ? {} : { bot }),
    ...(limit === undefined ? {} : { limit }),
    ...(afterId === undefined ? {} : { afterId }),
  };
  if (!url.searchParams.has('follow')) return { value: await api.events(query) };
  const subscribe = (listener: (event: HostEvent) => void) =>
    api.watchEvents((event) => {
      if (bot === undefined || event.bot === bot) listener(event);
    });
  return {
    stream: await follow({ subscribe, before: () => api.events(query), key: ({ id }) => id }, signal),
  };
}

async function changes(api: HostApi, { signal }: Call): Promise<AsyncIterable<Uint8Array>> {
  const subscribe = (listener: (change: { bot: string }) => void) => api.changes((bot) => listener({ bot }));
  return await follow({ subscribe, before: async () => [], key: ({ bot }) => bot }, signal);
}

async function* bytesOf(chunks: AsyncIterable<{ readonly bytes: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of chunks) yield bytes;
}

function number(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name);
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RuntimeError('usage', `${name}=${JSON.stringify(text)} is not a number`);
}

async function readText(body: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RuntimeError('usage', `more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
