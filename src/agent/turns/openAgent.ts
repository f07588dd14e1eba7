import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { AgentConfig, Config } from '../../bot/config/config.ts';
import type { PublishReport } from '../../bot/state/publish/publishReport.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Capabilities } from '../links/agentLink.ts';
import { type AgentLife, type AgentLifeOptions, createAgentLife } from './agentLife.ts';
import { type Health, health } from './health.ts';
import { accessCheck } from './http/access.ts';
import { openJournal } from './journal.ts';
import { Refusal } from './refusal.ts';
import { openRestarts, type Restarts } from './restarts.ts';
import { openTurns, type Turns } from './turns.ts';

/** Until an agent has said what it can. */
const UNKNOWN: Capabilities = {
  streaming: true,
  cancel: true,
  conversations: 'none',
  usage: 'none',
  attachments: ['text'],
};

export interface AgentOptions {
  readonly config: Config;
  readonly agent: AgentConfig;
  readonly openLink: AgentLifeOptions['openLink'];
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  /** Sends to the agent's process, by way of the supervisor. False: there is no process. */
  readonly say: (text: string) => boolean;
  readonly askRestart: (id: string, save: 'required' | 'try') => void;
  readonly lastPublish: () => PublishReport | null;
  /** Why state is not saved, in words. */
  readonly unsaved: () => string | undefined;
}

/** An agent as the protocol shows it, and what the supervisor tells of it. */
export interface AgentServer {
  readonly turns: Turns;
  readonly restarts: Restarts;
  readonly life: AgentLife;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when it closes. */
  readonly closing: AbortSignal;
  describe(): object;
  health(): Health & object;
  /** Why no message is taken now. */
  refusal(): Refusal | undefined;
  /** Why no restart is. */
  restartRefusal(): Refusal | undefined;
  attachments(): readonly string[];
  checkAccess(request: IncomingMessage): void;
  /** The container's end has been asked for: nothing is taken any more. */
  stopping(): void;
  /** The agent has ended for good: turns under way are failed. Resolves when that is kept. */
  ended(how: 'died' | 'stopped'): Promise<void>;
  /** Turns under way are interrupted, streams are ended. */
  close(): Promise<void>;
}

/** Throws `unsaved` where the turns cannot be kept. */
export async function openAgent(options: AgentOptions): Promise<AgentServer> {
  const { config, agent, ledger, clock, log } = options;
  const closing = new AbortController();
  const newId = () => randomBytes(15).toString('base64url');
  const journal = openJournal({ state: config.paths.state, log });
  let isStopping = false;
  const life = createAgentLife(
    {
      openLink: options.openLink,
      clock,
      log,
      startTimeoutMs: config.startTimeoutMs,
      onChange: () => turns?.pump(),
    },
    options.say,
  );
  let restarts: Restarts | undefined;
  let turns: Turns | undefined;
  turns = await openTurns({
    journal,
    ledger,
    clock,
    log,
    newId,
    bot: config.botId,
    kind: config.kind,
    timeoutMs: agent.timeoutMs,
    concurrency: () =>
      Math.min(agent.concurrency, life.description?.capabilities.concurrency ?? Number.POSITIVE_INFINITY),
    send: (request, tell, signal) => life.send(request, tell, signal),
    instance: () => life.instance,
    isHeld: () => isStopping || restarts?.isUnderWay !== false || life.standing.type !== 'up',
    isStopping: () => isStopping,
  });
  restarts = openRestarts({
    turns,
    life,
    journal,
    clock,
    log,
    newId,
    startTimeoutMs: config.startTimeoutMs,
    ask: options.askRestart,
  });
  const own = { turns, restarts };
  const now = (): Health =>
    health({
      standing: life.standing,
      isRestarting: own.restarts.isUnderWay,
      isStopping,
      active: own.turns.active,
      troubles: [own.turns.trouble, own.turns.lastFailure, options.unsaved(), ledger.trouble()],
    });
  const refuse = (allowed: readonly string[]) => () => {
    const { status, ready, reason } = now();
    if (ready || allowed.includes(status)) return undefined;
    const words = reason === undefined ? `the agent is ${status}` : `the agent has failed: ${reason}`;
    return new Refusal(503, status as 'starting', words, {
      'retry-after': status === 'restarting' ? '2' : '1',
    });
  };
  return {
    ...own,
    life,
    ledger,
    clock,
    log,
    closing: closing.signal,
    describe: () => ({
      protocol: '1',
      kind: config.kind,
      agent: life.description?.agent ?? { name: config.botId, version: '' },
      capabilities: life.description?.capabilities ?? UNKNOWN,
    }),
    health: () => {
      const { reason, ...standing } = now();
      const publish = options.lastPublish();
      return {
        ...standing,
        kind: config.kind,
        instance: life.instance,
        startedAt: life.startedAt,
        protocol: '1',
        turns: { active: own.turns.active, queued: own.turns.queued },
        ...(reason === undefined ? {} : { reason }),
        ...(publish ? { lastPublish: publish.at } : {}),
      };
    },
    refusal: refuse([]),
    // One that does not answer is what a restart is for.
    restartRefusal: refuse(['failed', 'starting', 'restarting']),
    attachments: () => (life.description?.capabilities ?? UNKNOWN).attachments,
    checkAccess: accessCheck(agent.token ?? config.query.token),
    stopping: () => {
      isStopping = true;
    },
    ended: async (how) => {
      isStopping ||= how === 'stopped';
      life.end(how === 'died' ? 'the agent died' : 'the agent was stopped');
      const code = how === 'died' ? 'agent_died' : 'interrupted';
      await own.turns.interrupt({
        code,
        message: life.standing.type === 'down' ? life.standing.reason : how,
      });
    },
    close: async () => {
      isStopping = true;
      own.restarts.close();
      await life.close();
      await own.turns.interrupt({ code: 'interrupted', message: 'the container was stopped' });
      closing.abort();
      await ledger.close();
      journal.close();
    },
  };
}
