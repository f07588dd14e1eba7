import type { AgentEndpoint, AgentSpec, OpenAiSpec } from '../../../bot/kinds/agentSpec.ts';
import type {
  AgentLink,
  Capabilities,
  ContentPart,
  LinkOptions,
  Tokens,
  TurnEnd,
  TurnEvent,
  TurnRequest,
} from '../agentLink.ts';
import { readSession, writeSession } from '../sessionName.ts';
import { sinceLast } from '../sinceLast.ts';
import { ask, failureOf, refusalOf } from './exchange.ts';
import { readCompletion } from './readCompletion.ts';

/*
 * Chat completions on a private port of an agent that exists already.
 *
 *   openAiLink       its health, and a request a turn
 *   exchange         the request, and what its failures mean
 *   readCompletion   what the answer says, as it comes (`readEvents`, `readSaid`), also where it is an error (`errorOf`)
 */

/** Between two looks at an agent that starts, milliseconds. */
const POLL_MS = 100;
/** How long each may take: one that is lost while it starts must not be waited for for ever. Milliseconds. */
const LOOK_MS = 5000;

export interface OpenAiLinkOptions extends LinkOptions {
  readonly spec: AgentSpec & { readonly openai: OpenAiSpec };
  readonly endpoint: AgentEndpoint;
  /** The bot's kind: such an agent does not say its name. */
  readonly kind: string;
}

export function openAiLink({ spec, endpoint, kind, channel, clock, log }: OpenAiLinkOptions): AgentLink {
  const { openai } = spec;
  /** The last figures by conversation, where they add up. */
  const seen = new Map<string, Tokens>();

  const check = async (signal: AbortSignal): Promise<boolean> => {
    try {
      const answer = await ask(openai, endpoint, { method: 'GET', path: openai.health }, signal);
      answer.resume();
      return answer.statusCode === 200;
    } catch {
      return false;
    }
  };

  const capabilities: Capabilities = {
    streaming: true,
    cancel: true,
    conversations: openai.conversation === undefined ? 'none' : 'persistent',
    usage: spec.usage === 'none' ? 'estimated' : 'reported',
    attachments: ['text'],
  };

  const ready = async (signal: AbortSignal) => {
    const ended = AbortSignal.any([signal, channel.closed]);
    while (!(await check(AbortSignal.any([ended, AbortSignal.timeout(LOOK_MS)])))) {
      ended.throwIfAborted();
      await clock.sleep(POLL_MS, ended);
    }
    return { agent: { name: kind, version: 'unknown' }, capabilities };
  };

  const usageOf = (turn: TurnRequest, now: Tokens | undefined): Tokens | undefined => {
    if (spec.usage !== 'cumulative' || !now) return spec.usage === 'none' ? undefined : now;
    const kept = turn.session === undefined ? undefined : readSession(turn.session);
    const before = kept?.instance === channel.instance ? kept?.seen : undefined;
    const tokens = sinceLast(now, seen.get(turn.conversation) ?? before);
    seen.set(turn.conversation, now);
    return tokens;
  };

  const send = async (
    turn: TurnRequest,
    tell: (event: TurnEvent) => void,
    signal: AbortSignal,
  ): Promise<TurnEnd> => {
    let wasAnswering = false;
    try {
      const answer = await ask(openai, endpoint, questionOf(openai, turn), signal);
      wasAnswering = true;
      if (answer.statusCode !== 200) throw await refusalOf(answer);
      const { stopReason, model, tokens } = await readCompletion(answer, clock, (event) => {
        if (!signal.aborted) tell(event);
      });
      const used = usageOf(turn, tokens);
      if (!used && spec.usage !== 'none') log.debug('the agent does not say what it has used');
      const last = seen.get(turn.conversation);
      return {
        stopReason,
        ...(last && {
          session: writeSession({ id: turn.conversation, instance: channel.instance, seen: last }),
        }),
        ...(used ? { usage: { tokens: used, ...(model === undefined ? {} : { model }) } } : {}),
      };
    } catch (error) {
      // The connection is closed: such agents know no other way to be told.
      if (signal.aborted) return { stopReason: 'cancelled' };
      throw await failureOf(error, wasAnswering, { channel, clock });
    }
  };

  return { ready, send, check, close: async () => undefined };
}

function questionOf({ path, model, conversation }: OpenAiSpec, turn: TurnRequest) {
  const [only, ...more] = turn.message;
  const content =
    only?.type === 'text' && more.length === 0 ? only.text : turn.message.map((part) => partOf(part));
  const inBody = conversation && 'body' in conversation ? { [conversation.body]: turn.conversation } : {};
  const inHead = conversation && 'header' in conversation ? { [conversation.header]: turn.conversation } : {};
  return {
    method: 'POST' as const,
    path,
    headers: inHead,
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content }],
      stream: true,
      stream_options: { include_usage: true },
      ...inBody,
    }),
  };
}

function partOf(part: ContentPart): object {
  if (part.type === 'text') return part;
  return { type: 'image_url', image_url: { url: `data:${part.mimeType};base64,${part.data}` } };
}
