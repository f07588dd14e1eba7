import { inject, onTestFinished } from 'vitest';
import { type Supervised, supervised } from '../process/supervised.ts';
import { type Fault, type FaultProxy, type ProxiedRequest, startFaultProxy } from './faultProxy.ts';

export interface FaultyBot extends Supervised {
  readonly proxy: FaultProxy;
  /** Requests that a fault struck so far. */
  struck(): number;
  /** From now on every request that `when` names meets `fault`, `times` times; returns what takes it back. */
  strike(when: (request: ProxiedRequest) => boolean, fault: Fault, times?: number): () => void;
}

/** A bot whose runtime reaches the store through a proxy; tests look at the store behind its back. */
export async function faultyBot(script: string): Promise<FaultyBot> {
  const proxy = await startFaultProxy(inject('minio').port);
  onTestFinished(() => proxy.close());
  const bot = await supervised(script);
  return {
    ...bot,
    start: (extra) => bot.start({ MINIO_ENDPOINT: `127.0.0.1:${proxy.port}`, ...extra }),
    proxy,
    struck: () => proxy.requests.filter(({ fault }) => fault !== undefined).length,
    strike: (when, fault, times = 1) => proxy.inject({ when, fault, times }),
  };
}

export const isHead = ({ path }: ProxiedRequest) => /^\/bot-state\/[^?]*\/head(\?|$)/.test(path);
export const isState = ({ path }: ProxiedRequest) => path.startsWith('/bot-state/');
export const isPack = ({ path }: ProxiedRequest) => path.includes('/packs/');
export const isManifest = ({ path }: ProxiedRequest) => path.includes('/manifests/');
export const isLog = ({ path }: ProxiedRequest) => path.startsWith('/bot-logs/');
export const isCode = ({ path }: ProxiedRequest) => path.startsWith('/code-');
export const isPut = ({ method }: ProxiedRequest) => method === 'PUT';
export const isGet = ({ method }: ProxiedRequest) => method === 'GET';

export const both =
  (...conditions: ((request: ProxiedRequest) => boolean)[]) =>
  (request: ProxiedRequest) =>
    conditions.every((condition) => condition(request));

/** Faults that pass: the same request succeeds when it is sent again. */
export const passing: [string, Fault][] = [
  ['a delay', { delayMs: 700 }],
  ['a reset', { reset: true }],
  ['500', { status: 500, code: 'InternalError' }],
  ['503 SlowDown', { status: 503, code: 'SlowDown' }],
  ['429', { status: 429, code: 'TooManyRequests' }],
  ['an answer cut short', { cutResponseAfter: 3 }],
  ['an answer lost after execution', { dropResponse: true }],
];
