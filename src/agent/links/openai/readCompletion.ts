import type { IncomingMessage } from 'node:http';
import { isObject } from '../../../bot/config/parsers.ts';
import { AgentError, type StopReason, type Tokens, type TurnEvent } from '../agentLink.ts';
import { reportedTokens } from '../reportedTokens.ts';
import { errorOf, readBody } from './exchange.ts';
import { readEvents } from './readEvents.ts';

export interface Completion {
  readonly stopReason: StopReason;
  readonly model: string | undefined;
  readonly tokens: Tokens | undefined;
}

const reasons: Readonly<Record<string, StopReason>> = {
  stop: 'end',
  length: 'max_tokens',
  content_filter: 'refusal',
};

/** A chat completion, streamed or, from an agent that does not stream, whole. Throws an `AgentError` where it says that it failed. */
export async function readCompletion(
  answer: IncomingMessage,
  tell: (event: TurnEvent) => void,
): Promise<Completion> {
  let stopReason: StopReason | undefined;
  let model: string | undefined;
  let tokens: Tokens | undefined;

  const take = (text: string) => {
    const failure = errorOf(text);
    if (failure !== undefined) throw new AgentError('agent_failed', failure);
    const chunk: unknown = JSON.parse(text);
    if (!isObject(chunk)) return;
    if (typeof chunk.model === 'string' && chunk.model !== '') model = chunk.model;
    if (isObject(chunk.usage)) tokens = usageOf(chunk.usage);
    const [choice] = Array.isArray(chunk.choices) ? (chunk.choices as unknown[]) : [];
    if (!isObject(choice)) return;
    const said = isObject(choice.delta) ? choice.delta : isObject(choice.message) ? choice.message : {};
    const thought = said.reasoning_content ?? said.reasoning;
    if (typeof thought === 'string' && thought !== '') tell({ type: 'thought', text: thought });
    if (typeof said.content === 'string' && said.content !== '') tell({ type: 'delta', text: said.content });
    const reason = choice.finish_reason;
    if (typeof reason === 'string') stopReason = (Object.hasOwn(reasons, reason) && reasons[reason]) || 'end';
  };

  const isStream = (answer.headers['content-type'] ?? '').includes('text/event-stream');
  let isDone = !isStream;
  if (isStream) {
    for await (const data of readEvents(answer)) {
      isDone ||= data === '[DONE]';
      if (data !== '[DONE]') take(data);
    }
  } else take(await readBody(answer));
  if (!isDone && stopReason === undefined) throw new Error('it has no end');
  return { stopReason: stopReason ?? 'end', model, tokens };
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
