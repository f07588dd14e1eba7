import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import {
  type AgentChannel,
  type AgentDescription,
  AgentError,
  type AgentLink,
  type LinkOptions,
  type TurnEnd,
  type TurnEvent,
  type TurnRequest,
} from '../links/agentLink.ts';
import type { AgentProcess } from '../process/agentMessages.ts';

/** How often an agent that can be asked is asked whether it still answers, milliseconds; and how long it may take. */
const CHECK_MS = 5000;

/** The agent's process as the supervisor tells of it. */
export type Standing =
  | { readonly type: 'starting' }
  | { readonly type: 'up' }
  /** It does not answer (any more), or has ended. */
  | { readonly type: 'down'; readonly reason: string };

export interface AgentLifeOptions {
  readonly openLink: (options: LinkOptions, process: AgentProcess) => AgentLink;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long an agent may take until it answers, milliseconds; from then on it is down until it does. */
  readonly startTimeoutMs: number;
  readonly onChange: () => void;
}

/** The agent's process of the moment: one link to it, and whether it answers. */
export interface AgentLife {
  /** A process is there. */
  begin(process: AgentProcess): void;
  /** What it said, in pieces as they came. */
  hear(text: string): void;
  /** It has ended. */
  end(reason: string): void;
  readonly standing: Standing;
  readonly instance: string | null;
  readonly startedAt: string | null;
  /** What it last said of itself; kept while there is none. */
  readonly description: AgentDescription | undefined;
  send(request: TurnRequest, tell: (event: TurnEvent) => void, signal: AbortSignal): Promise<TurnEnd>;
  /** Resolves when it is up, or down. */
  whenKnown(signal: AbortSignal): Promise<Standing>;
  close(): Promise<void>;
}

interface Current {
  readonly link: AgentLink;
  readonly closed: AbortController;
  readonly hear: (text: string) => void;
}

/** `say`: to the agent's process, by way of the supervisor. */
export function createAgentLife(options: AgentLifeOptions, say: (text: string) => boolean): AgentLife {
  const { clock, log, onChange } = options;
  let current: Current | undefined;
  let standing: Standing = { type: 'starting' };
  let instance: string | null = null;
  let startedAt: string | null = null;
  let description: AgentDescription | undefined;
  let known = Promise.withResolvers<void>();

  const stand = (now: Standing) => {
    standing = now;
    if (now.type === 'starting') known = Promise.withResolvers();
    else known.resolve();
    onChange();
  };

  const begin = (process: AgentProcess) => {
    leave('another process has taken its place');
    ({ instance, startedAt } = process);
    const closed = new AbortController();
    const { channel, hear } = openChannel(closed.signal, say, process.instance);
    const link = options.openLink({ channel, clock, log }, process);
    const mine = { link, closed, hear };
    current = mine;
    stand({ type: 'starting' });
    void watch(mine);
  };

  /** As long as this life is the current one. */
  const watch = async ({ link, closed }: Current) => {
    const answered = new AbortController();
    void tellLate(AbortSignal.any([closed.signal, answered.signal]));
    try {
      description = await link.ready(closed.signal);
      if (!closed.signal.aborted) stand({ type: 'up' });
    } catch (error) {
      if (closed.signal.aborted) return;
      const why = String((error as Error).message);
      log.error('the agent does not answer', { why });
      stand({ type: 'down', reason: `it did not come up: ${why}` });
      return;
    } finally {
      answered.abort();
    }
    while (link.check && !closed.signal.aborted) {
      await clock.sleep(CHECK_MS, closed.signal).catch(() => undefined);
      if (!closed.signal.aborted) await look(link, closed.signal);
    }
  };

  /** One that comes up later than it may is up all the same: nobody but a restart would end it. */
  const tellLate = async (over: AbortSignal) => {
    await clock.sleep(options.startTimeoutMs, over).catch(() => undefined);
    if (over.aborted) return;
    const why = `within ${options.startTimeoutMs} ms`;
    log.error('the agent does not answer', { why });
    stand({ type: 'down', reason: `it did not come up ${why}, and is still waited for` });
  };

  const look = async (link: AgentLink, closed: AbortSignal) => {
    const signal = AbortSignal.any([closed, AbortSignal.timeout(CHECK_MS)]);
    const answers = await link.check?.(signal).catch(() => false);
    if (closed.aborted || current?.link !== link) return;
    const isUp = standing.type === 'up';
    if (answers && !isUp) stand({ type: 'up' });
    if (answers === false && isUp)
      stand({ type: 'down', reason: 'it does not answer; asked again every 5 s' });
  };

  const leave = (reason: string) => {
    const left = current;
    current = undefined;
    left?.closed.abort(new AgentError('agent_died', reason));
    void left?.link.close().catch(() => undefined);
  };

  return {
    begin,
    hear: (text) => current?.hear(text),
    end: (reason) => {
      leave(reason);
      stand({ type: 'down', reason });
    },
    get standing() {
      return standing;
    },
    get instance() {
      return instance;
    },
    get startedAt() {
      return startedAt;
    },
    get description() {
      return description;
    },
    send: async (request, tell, signal) => {
      const { link } = current ?? {};
      if (!link) throw new AgentError('agent_unreachable', 'the agent does not run');
      try {
        return await link.send(request, tell, signal);
      } catch (error) {
        if (link.check && !signal.aborted && current?.link === link) void look(link, current.closed.signal);
        throw error;
      }
    },
    whenKnown: async (signal) => {
      const aborted = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => aborted.resolve(), { once: true });
      while (standing.type === 'starting' && !signal.aborted) {
        await Promise.race([known.promise, aborted.promise]);
      }
      return standing;
    },
    close: async () => {
      const left = current;
      current = undefined;
      left?.closed.abort(new AgentError('agent_unreachable', 'the server of turns ends'));
      await left?.link.close().catch(() => undefined);
    },
  };
}

function openChannel(
  closed: AbortSignal,
  say: (text: string) => boolean,
  instance: string,
): { channel: AgentChannel; hear: (text: string) => void } {
  let early: string[] | undefined = [];
  let take = (text: string): void => void early?.push(text);
  return {
    channel: {
      write: (text) => !closed.aborted && say(text),
      listen: (listener) => {
        take = listener;
        for (const text of early ?? []) listener(text);
        early = undefined;
      },
      closed,
      instance,
    },
    hear: (text) => take(text),
  };
}
