import { build } from '../../../base/build.ts';
import { asRuntimeError } from '../../../base/errors.ts';
import { orAborted } from '../../../base/orAborted.ts';
import { isObject } from '../../../bot/config/parsers.ts';
import type { AgentSpec } from '../../../bot/kinds/agentSpec.ts';
import {
  type AgentDescription,
  AgentError,
  type AgentLink,
  type ContentPart,
  type LinkOptions,
  type Tokens,
  type TurnEnd,
  type TurnEvent,
  type TurnRequest,
} from '../agentLink.ts';
import { reportedTokens } from '../reportedTokens.ts';
import { isAnotherSession, readSession, writeSession } from '../sessionName.ts';
import { sinceLast } from '../sinceLast.ts';
import { answerPermission } from './answerPermission.ts';
import { openJsonRpc } from './jsonRpc.ts';
import { readUpdate } from './readUpdate.ts';
import { stopReason } from './stopReason.ts';
import { untilCancelled } from './untilCancelled.ts';

/*
 * The Agent Client Protocol, version 1, on stdin and stdout of an agent that exists already.
 *
 *   splitLines, jsonRpc   lines and messages, with limits: the other side runs somebody's code
 *   acpLink               `initialize`, sessions, prompts; what ends a turn
 *   readUpdate            what a session's updates say of a turn
 *   answerPermission      what an agent is answered that asks whether it may
 */

/** Updates may come after the prompt's response; without this wait the last words are missing. Milliseconds. */
const PATIENCE_MS = 50;
/** And so long where there was not one word before it: an answer would be empty. */
const SILENCE_MS = 1000;
const VERSION = 1;
/** An agent that makes sessions up is not answered for ever. */
const MAX_STRANGERS = 1000;

export interface AcpLinkOptions extends LinkOptions {
  readonly spec: AgentSpec;
  /** The bot's kind, where the agent does not say its name. */
  readonly kind: string;
  /** Absolute, and there: where the agent works. */
  readonly cwd: string;
}

/** A session that this process has open. */
interface Session {
  readonly id: string;
  seen: Tokens | undefined;
  /** Settles when the prompt before has been answered, also one that nobody waits for any more. */
  free: Promise<unknown>;
  /** Takes the updates of the turn under way; those outside of one are dropped. */
  take: ((update: unknown) => void) | undefined;
}

export function acpLink({ spec, kind, cwd, ...options }: AcpLinkOptions): AgentLink {
  const { channel, clock, log } = options;
  const sessions = new Map<string, Session>();
  const byConversation = new Map<string, Session>();
  /** Being resumed, or told to cancel what a query server that has died had asked. */
  const strangers = new Set<string>();
  let resume: 'resume' | 'load' | 'none' = 'none';
  let images = false;

  const rpc = openJsonRpc(options, {
    notification: (method, params) => {
      if (method !== 'session/update') return;
      const id = String(params.sessionId);
      const session = sessions.get(id);
      if (session) session.take?.(params.update);
      else if (!strangers.has(id) && strangers.size < MAX_STRANGERS && readUpdate(params.update, new Map())) {
        // Nobody hears the end of that turn any more.
        strangers.add(id);
        rpc.notify('session/cancel', { sessionId: id });
      }
    },
    request: (method, params) => {
      // No files, no terminals: the agent has those of its own container.
      if (method !== 'session/request_permission') return undefined;
      const session = sessions.get(String(params.sessionId));
      return answerPermission(params.options, spec.permissions, session?.take !== undefined);
    },
  });

  const initialize = async (signal: AbortSignal): Promise<AgentDescription> => {
    const said = await rpc.request(
      'initialize',
      {
        protocolVersion: VERSION,
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
        clientInfo: { name: 'runtime', version: build.version },
      },
      signal,
    );
    if (said.protocolVersion !== VERSION) {
      const text = `the agent speaks ACP ${JSON.stringify(said.protocolVersion)}, and not ${VERSION}`;
      throw new AgentError('agent_failed', text);
    }
    const can = isObject(said.agentCapabilities) ? said.agentCapabilities : {};
    const prompts = isObject(can.promptCapabilities) ? can.promptCapabilities : {};
    images = prompts.image === true;
    resume = spec.resume ?? resumesBy(can);
    const info = isObject(said.agentInfo) ? said.agentInfo : {};
    return {
      agent: {
        name: typeof info.name === 'string' ? info.name : kind,
        version: typeof info.version === 'string' ? info.version : 'unknown',
      },
      capabilities: {
        streaming: true,
        cancel: true,
        conversations: resume === 'none' ? 'process' : 'persistent',
        usage: spec.usage === 'none' ? 'estimated' : 'reported',
        attachments: images ? ['text', 'image'] : ['text'],
      },
    };
  };

  const keep = (conversation: string, id: string, seen?: Tokens): Session => {
    const session = { id, seen, free: Promise.resolve(), take: undefined };
    sessions.set(id, session);
    byConversation.set(conversation, session);
    return session;
  };

  /** Of an earlier life of the process, or of ours. Undefined: the agent does not have it any more. */
  const takeUp = async (turn: TurnRequest, signal: AbortSignal): Promise<Session | undefined> => {
    if (turn.session === undefined || resume === 'none') return undefined;
    const { id, instance, seen } = readSession(turn.session);
    const isSameLife = instance !== undefined && instance === channel.instance;
    // A prompt of a query server that has died may still be under way. Not otherwise: Hermes then cancels the next one.
    if (isSameLife) rpc.notify('session/cancel', { sessionId: id });
    strangers.add(id);
    try {
      const result = await rpc.request(`session/${resume}`, { sessionId: id, cwd, mcpServers: [] }, signal);
      if (isAnotherSession(result, id)) throw new Error('it began another one');
    } catch (error) {
      signal.throwIfAborted();
      if (channel.closed.aborted) throw error;
      log.warn('the agent has lost a conversation, which begins anew', {
        conversation: turn.conversation,
        reason: asRuntimeError(error).message,
      });
      return undefined;
    }
    return keep(turn.conversation, id, isSameLife ? seen : undefined);
  };

  const sessionOf = async (turn: TurnRequest, signal: AbortSignal): Promise<Session> => {
    const open = byConversation.get(turn.conversation) ?? (await takeUp(turn, signal));
    if (open) return open;
    const { sessionId } = await rpc.request('session/new', { cwd, mcpServers: [] }, signal);
    if (typeof sessionId !== 'string' || sessionId === '') {
      throw new AgentError('agent_failed', 'the agent began a session and did not name it');
    }
    return keep(turn.conversation, sessionId);
  };

  const usageOf = (session: Session, said: unknown): TurnEnd['usage'] => {
    if (spec.usage === 'none' || !isObject(said)) return undefined;
    const now = reportedTokens({
      input: said.inputTokens,
      output: said.outputTokens,
      cacheRead: said.cachedReadTokens,
      cacheWrite: said.cachedWriteTokens,
      reasoning: said.thoughtTokens,
      total: said.totalTokens,
    });
    if (!now) log.warn('what the agent says of its usage is no count of tokens; it is estimated');
    if (!now || spec.usage === 'turn') return now && { tokens: now };
    const tokens = sinceLast(now, session.seen);
    session.seen = now;
    return { tokens };
  };

  const send = async (
    turn: TurnRequest,
    tell: (event: TurnEvent) => void,
    signal: AbortSignal,
  ): Promise<TurnEnd> => {
    const session = await sessionOf(turn, signal);
    await orAborted(session.free, signal);
    const tools = new Map<string, string>();
    /** Aborted by its first word. */
    const spoken = new AbortController();
    session.take = (update) => {
      const event = readUpdate(update, tools);
      if (event?.type === 'delta') spoken.abort();
      if (event) tell(event);
    };
    const answer = rpc.request('session/prompt', { sessionId: session.id, prompt: turn.message.map(block) });
    session.free = answer.catch(() => undefined);
    try {
      const result = await untilCancelled(answer, signal, clock, () =>
        rpc.notify('session/cancel', { sessionId: session.id }),
      );
      const reason = stopReason(result.stopReason);
      const wait = (ms: number, until: AbortSignal) => clock.sleep(ms, until).catch(() => undefined);
      if (reason === 'end') await wait(SILENCE_MS, AbortSignal.any([spoken.signal, channel.closed]));
      await wait(PATIENCE_MS, channel.closed);
      if (reason === 'refusal' && !spoken.signal.aborted) {
        // Whatever it knows of the session, it does not take what is said in it.
        byConversation.delete(turn.conversation);
        throw new AgentError('agent_refused', 'the agent refused without a word');
      }
      const usage = usageOf(session, result.usage);
      const name = writeSession({ id: session.id, instance: channel.instance, seen: session.seen });
      return { stopReason: reason, session: name, ...(usage ? { usage } : {}) };
    } finally {
      session.take = undefined;
    }
  };

  return {
    ready: initialize,
    send,
    close: async () => {
      for (const session of sessions.values()) session.take = undefined;
    },
  };
}

function resumesBy(capabilities: Record<string, unknown>): 'resume' | 'load' | 'none' {
  const of = isObject(capabilities.sessionCapabilities) ? capabilities.sessionCapabilities : {};
  if (isObject(of.resume)) return 'resume';
  return capabilities.loadSession === true ? 'load' : 'none';
}

function block(part: ContentPart): object {
  return part.type === 'text' ? part : { type: 'image', mimeType: part.mimeType, data: part.data };
}
