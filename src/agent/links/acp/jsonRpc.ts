import { randomInt } from 'node:crypto';
import { isObject } from '../../../bot/config/parsers.ts';
import type { LinkOptions } from '../agentLink.ts';
import { type AgentChannel, AgentError } from '../agentLink.ts';
import { type Bounded, boundedLog } from '../boundedLog.ts';
import { splitLines } from '../splitLines.ts';

type Params = Readonly<Record<string, unknown>>;

export interface JsonRpcHandlers {
  readonly notification: (method: string, params: Params) => void;
  /** Its result; undefined: there is no such method here. */
  readonly request: (method: string, params: Params) => object | undefined;
}

/** JSON-RPC 2.0, a message a line, with the other side's mistakes taken for what they are: it runs somebody's code. */
export interface JsonRpc {
  /**
   * Rejects with an `AgentError`: `agent_failed` where it answers with an error, and why the process ended where it never answers.
   * Aborted, it rejects with the signal's reason, and the answer is let go.
   */
  request(method: string, params: object, signal?: AbortSignal): Promise<Params>;
  notify(method: string, params: object): void;
}

/** How long a process whose input is gone may take to end, before it counts as one that cannot be reached, milliseconds. */
const LAST_WORD_MS = 5000;
const METHOD_NOT_FOUND = -32601;
/** Agents keep ids in 32 bits, with a sign. */
const MAX_ID = 2 ** 31 - 1;
/** Of an error's words. */
const MAX_MESSAGE = 500;

interface Pending {
  readonly resolve: (result: Params) => void;
  readonly reject: (error: unknown) => void;
}

export function openJsonRpc({ channel, clock, log }: LinkOptions, handlers: JsonRpcHandlers): JsonRpc {
  const pending = new Map<number, Pending>();
  const warn = boundedLog(log, clock);
  // A process that was spoken to by a query server that has died may still answer that one: each of them begins somewhere else.
  let lastId = randomInt(1, 2 ** 20) * 1024;

  const failAll = (error: unknown) => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  const died = () => failAll(channel.closed.reason);
  if (channel.closed.aborted) died();
  else channel.closed.addEventListener('abort', died, { once: true });

  const send = (message: object): boolean =>
    channel.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

  const take = (message: Record<string, unknown>) => {
    const { id, method } = message;
    const params = isObject(message.params) ? message.params : {};
    if (typeof method === 'string') {
      if (id === undefined) return handlers.notification(method, params);
      const result = handlers.request(method, params);
      const error = { code: METHOD_NOT_FOUND, message: `${method} is not offered here` };
      return void send(result === undefined ? { id, error } : { id, result });
    }
    const { error = null } = message;
    const failure = error === null ? undefined : new AgentError('agent_failed', errorText(error));
    // It could not read what it was asked, and so does not know what that was.
    if (failure && (id === null || id === undefined)) return failAll(failure);
    const number = typeof id === 'string' ? Number(id) : id;
    const asked = typeof number === 'number' ? pending.get(number) : undefined;
    // Answered twice, or asked by somebody else.
    if (!asked) return warn('the agent answered what was not asked');
    pending.delete(number as number);
    if (failure) asked.reject(failure);
    else asked.resolve(isObject(message.result) ? message.result : {});
  };

  channel.listen(
    splitLines({
      line: (line) => {
        const messages = parse(line);
        if (messages) for (const message of messages) take(message);
        else if (line.trim() !== '')
          warn('the agent printed what is not ACP; its log belongs to stderr', line);
      },
      tooLong: (head) => tooLong(head, pending, failAll, warn),
    }),
  );

  return {
    request: (method, params, signal) =>
      new Promise((resolve, reject) => {
        if (channel.closed.aborted) return reject(channel.closed.reason as Error);
        if (signal?.aborted) return reject(signal.reason as Error);
        lastId = (lastId % MAX_ID) + 1;
        const id = lastId;
        pending.set(id, { resolve, reject });
        signal?.addEventListener(
          'abort',
          () => {
            if (pending.delete(id)) reject(signal.reason as Error);
          },
          { once: true },
        );
        if (!send({ id, method, params })) void unreachable(channel, clock, reject);
      }),
    notify: (method, params) => void send({ method, params }),
  };
}

/** What is lost with it: one answer where its beginning says which, an update, or whatever was being waited for. */
function tooLong(
  head: string,
  pending: Map<number, Pending>,
  failAll: (error: AgentError) => void,
  warn: Bounded,
): void {
  const error = new AgentError('agent_failed', 'the agent sent a line of more than 16 MiB');
  const id = Number(/"id"\s*:\s*(\d+)/.exec(head)?.[1]);
  const asked = pending.get(id);
  if (/"method"\s*:/.test(head)) warn('a line of the agent is longer than 16 MiB and was dropped');
  else if (asked) {
    pending.delete(id);
    asked.reject(error);
  } else failAll(error);
}

async function unreachable(
  channel: AgentChannel,
  clock: LinkOptions['clock'],
  reject: (error: unknown) => void,
): Promise<void> {
  // Its input closes before its end is known, which says more.
  await clock.sleep(LAST_WORD_MS, channel.closed).catch(() => undefined);
  if (!channel.closed.aborted) reject(new AgentError('agent_unreachable', 'the agent takes no more input'));
}

/** One message, or a batch of them. */
function parse(line: string): readonly Record<string, unknown>[] | undefined {
  // A byte order mark counts as blank.
  const text = line.trim();
  if (!/^[{[]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const messages = Array.isArray(value) ? (value as unknown[]) : [value];
    const isAcp = (message: unknown): message is Record<string, unknown> =>
      isObject(message) && message.jsonrpc === '2.0';
    return messages.length > 0 && messages.every(isAcp) ? messages : undefined;
  } catch {
    return undefined;
  }
}

/** What an agent thinks of its failure is often in `data`. */
function errorText(error: unknown): string {
  if (!isObject(error)) return String(error).slice(0, MAX_MESSAGE);
  const { message, data } = error;
  const more = isObject(data) ? (data.details ?? data.message ?? data.error) : data;
  return [message, more]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(': ')
    .slice(0, MAX_MESSAGE);
}
