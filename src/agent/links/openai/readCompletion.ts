import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import { isObject } from '../../../bot/config/parsers.ts';
import { AgentError, type StopReason, type Tokens, type TurnEvent } from '../agentLink.ts';
import { reportedTokens } from '../reportedTokens.ts';
import { errorIn, errorOf } from './errorOf.ts';
import { MAX_MESSAGE, readBody } from './exchange.ts';
import { readEvents } from './readEvents.ts';
import { readSaid } from './readSaid.ts';

export interface Completion {
  readonly stopReason: StopReason;
  readonly model: string | undefined;
  readonly tokens: Tokens | undefined;
}

const reasons: Readonly<Record<string, StopReason>> = {
  stop: 'end',
  length: 'max_tokens',
  max_tokens: 'max_tokens',
  content_filter: 'refusal',
  refusal: 'refusal',
};
/** It was ended from outside of the model, in the middle. */
const BROKEN = ['error', 'abort', 'aborted', 'cancelled', 'canceled'];
/** Nobody here runs tools for an agent: it has its own. */
const ASKING = ['tool_calls', 'function_call'];
/** After a reason why it has ended only its usage comes, and after `[DONE]` nothing: some agents never close the connection then. */
const LULL_MS = { reason: 5000, done: 1000 };
/** Characters before the first that says what follows. */
const MAX_BLANK = 4096;

/** A chat completion, streamed or, from an agent that does not stream, whole. Throws an `AgentError` where it says that it failed. */
export async function readCompletion(
  answer: IncomingMessage,
  clock: Clock,
  tell: (event: TurnEvent) => void,
): Promise<Completion> {
  const coding = answer.headers['content-encoding'] ?? 'identity';
  const completion = collect(tell);
  try {
    if (coding !== 'identity')
      throw new AgentError('agent_failed', `the agent's answer is packed (${coding})`);
    const { isWhole, body } = await beginning(answer);
    if (isWhole) {
      completion.take((await readBody(body)).replace(/^\ufeff/, ''));
      completion.take('[DONE]');
    } else await readStream(body, clock, completion);
  } finally {
    // Its connection may be open still.
    answer.destroy();
  }
  return completion.end();
}

/** What there is decides, and not what its type says: some have none, or the wrong one. */
async function beginning(
  answer: IncomingMessage,
): Promise<{ isWhole: boolean; body: AsyncIterable<Buffer> }> {
  const pieces = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const decoder = new TextDecoder();
  const first: Buffer[] = [];
  let text = '';
  while (text.trim() === '' && text.length < MAX_BLANK) {
    const { done, value } = await pieces.next();
    if (done) break;
    first.push(value);
    text += decoder.decode(value, { stream: true });
  }
  async function* body() {
    yield* first;
    yield* { [Symbol.asyncIterator]: () => pieces };
  }
  return { isWhole: text.trimStart().startsWith('{'), body: body() };
}

async function readStream(body: AsyncIterable<Buffer>, clock: Clock, completion: Collected): Promise<void> {
  const events = readEvents(body);
  for (;;) {
    const next = events.next();
    const lull = completion.lull();
    const event = lull === undefined ? await next : await within(next, lull, clock);
    if (event === undefined || event.done) return;
    const { name, data } = event.value;
    if (name === 'error') throw new AgentError('agent_failed', errorOf(data) ?? data.slice(0, MAX_MESSAGE));
    // Other names are the agent's own.
    if (name === undefined) completion.take(data.trim());
  }
}

/** Undefined: it has not come within so many milliseconds. */
async function within<T>(coming: Promise<T>, ms: number, clock: Clock): Promise<T | undefined> {
  const came = new AbortController();
  const late = clock.sleep(ms, came.signal).then(() => undefined);
  return await Promise.race([coming, late]).finally(() => came.abort());
}

interface Collected {
  /** A chunk, the whole, or `[DONE]`. */
  take(text: string): void;
  /** How long whatever comes now is waited for, milliseconds; undefined: as long as it takes. */
  lull(): number | undefined;
  end(): Completion;
}

function collect(tell: (event: TurnEvent) => void): Collected {
  let reason: string | undefined;
  let model: string | undefined;
  let tokens: Tokens | undefined;
  let hasBegun = false;
  let hasSaid = false;
  let hasRefused = false;
  let isDone = false;

  const take = (text: string) => {
    if (isDone) return;
    isDone = text === '[DONE]';
    if (isDone) return;
    const chunk: unknown = JSON.parse(text);
    if (!isObject(chunk)) return;
    const failure = errorIn(chunk);
    if (failure !== undefined) throw new AgentError('agent_failed', failure.slice(0, MAX_MESSAGE));
    if (typeof chunk.model === 'string' && chunk.model !== '') model = chunk.model;
    const used = isObject(chunk.usage) ? usageOf(chunk.usage) : undefined;
    // A later zero is a place that was left empty.
    if (used && (tokens === undefined || used.total > 0)) tokens = used;
    const [choice] = Array.isArray(chunk.choices) ? (chunk.choices as unknown[]) : [];
    if (!isObject(choice)) return;
    hasBegun = true;
    const said = isObject(choice.delta) ? choice.delta : isObject(choice.message) ? choice.message : {};
    hasRefused ||= typeof said.refusal === 'string' && said.refusal !== '';
    for (const event of readSaid(said)) {
      hasSaid ||= event.type === 'delta';
      tell(event);
    }
    if (typeof choice.finish_reason === 'string' && choice.finish_reason.trim() !== '')
      reason = choice.finish_reason.trim().toLowerCase();
  };

  return {
    take,
    lull: () => {
      if (isDone) return LULL_MS.done;
      return reason === undefined || ASKING.includes(reason) ? undefined : LULL_MS.reason;
    },
    end: () => {
      if (reason !== undefined && BROKEN.includes(reason))
        throw new AgentError('agent_failed', `the agent broke its answer off ("${reason}")`);
      if (reason !== undefined && ASKING.includes(reason) && !hasSaid)
        throw new AgentError('agent_failed', 'the agent asks for a tool, and nobody here has any for it');
      if (!hasBegun && isDone) throw new AgentError('agent_failed', 'the agent answered with nothing');
      if (reason === undefined && !isDone) throw new Error('it has no end');
      const known = reason !== undefined && Object.hasOwn(reasons, reason) ? reasons[reason] : undefined;
      return { stopReason: hasRefused ? 'refusal' : (known ?? 'end'), model, tokens };
    },
  };
}

function usageOf(usage: Record<string, unknown>): Tokens | undefined {
  const { prompt_tokens_details: prompt, completion_tokens_details: completion } = usage;
  return reportedTokens({
    input: usage.prompt_tokens,
    output: usage.completion_tokens,
    total: usage.total_tokens,
    cacheRead: isObject(prompt) ? prompt.cached_tokens : undefined,
    reasoning: isObject(completion) ? completion.reasoning_tokens : undefined,
  });
}
