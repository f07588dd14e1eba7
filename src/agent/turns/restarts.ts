import type { Clock } from '../../base/clock.ts';
import { asRuntimeError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { RestartReport } from '../process/agentMessages.ts';
import type { AgentLife } from './agentLife.ts';
import type { Entry, Keyed, Restart } from './entry.ts';
import type { Journal } from './journal.ts';
import type { Refusal } from './refusal.ts';
import { replayed } from './replayed.ts';
import type { Turns } from './turns.ts';

export interface RestartRequest {
  readonly reason: string | undefined;
  /** `required`: a state that cannot be saved fails the restart; `try`: it is noted. */
  readonly save: 'required' | 'try';
  readonly graceSeconds: number;
  readonly keyed: Keyed | undefined;
}

export interface RestartsOptions {
  readonly turns: Turns;
  readonly life: AgentLife;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly startTimeoutMs: number;
  /** Asks the supervisor; it reports until `started`. */
  readonly ask: (id: string, save: 'required' | 'try') => void;
}

export interface Restarts {
  /** One at a time: gives the one under way, whose the key is from then on, too. Throws `Refusal` (409). */
  begin(
    request: RestartRequest,
    refusal: () => Refusal | undefined,
  ): { restart: Restart; isReplayed: boolean };
  find(id: string): Restart | undefined;
  /** From the supervisor; again, when we were started again meanwhile. */
  report(report: RestartReport): void;
  /** The supervisor has told all that it knows: a restart that it does not know of never reached it. */
  settle(known: string | undefined): void;
  readonly isUnderWay: boolean;
  close(): void;
}

/** Stops the agent, saves its state, and starts it on what is there: the supervisor does, and this keeps the record of it. */
export function openRestarts(options: RestartsOptions): Restarts {
  const { turns, life, journal, clock, log } = options;
  const { book } = turns;
  const closing = new AbortController();
  let current: Restart | undefined;
  let supervisor = Promise.withResolvers<void>();

  const write = (entry: Entry) => {
    try {
      journal.append(entry);
    } catch (error) {
      log.error(asRuntimeError(error).message);
    }
    book.apply(entry);
  };
  const keep = (restart: Restart, keyed?: Keyed) => {
    write({ t: 'restart', restart, at: clock.now(), ...(keyed && { keyed }) });
    current = restart.status === 'running' ? restart : undefined;
  };
  const change = (change: Partial<Restart>) => {
    if (current) keep({ ...current, ...change });
  };

  const finish = (error?: Restart['error']) => {
    change({
      status: error ? 'failed' : 'done',
      ...(error ? { error } : { phase: 'done' }),
      after: life.instance === null ? null : { instance: life.instance },
      endedAt: new Date(clock.now()).toISOString(),
    });
    turns.pump();
  };

  const run = async ({ id }: Restart, { save, graceSeconds }: RestartRequest) => {
    const grace = AbortSignal.any([closing.signal, AbortSignal.timeout(graceSeconds * 1000)]);
    await turns.whenIdle(grace);
    turns.cancelRunning();
    await turns.whenIdle(closing.signal);
    if (closing.signal.aborted) return;
    options.ask(id, save);
    await supervisor.promise;
  };

  /** The supervisor has started it, or could not. */
  const complete = async (report: RestartReport) => {
    const { error } = report;
    const up = await life.whenKnown(closing.signal);
    if (closing.signal.aborted) return;
    if (error !== undefined)
      finish({ code: report.stateSaved === false ? 'state_not_saved' : 'failed', message: error });
    else if (up.type === 'up') finish();
    else finish({ code: 'failed', message: up.type === 'down' ? up.reason : 'it does not answer' });
  };

  // One that our predecessor has begun: the supervisor tells how far it is, if it knows of it.
  const left = book.lastRestart();
  if (left?.status === 'running') current = left;

  return {
    begin: (request, refusal) => {
      const before = replayed(
        book,
        request.keyed,
        clock.now(),
        (id) => book.restart(id),
        'which is not kept any more',
      );
      if (before) return { restart: before, isReplayed: true };
      if (current) {
        // Asked again with this key later, it is still this one, and no second restart.
        if (request.keyed) write({ t: 'spent', id: current.id, at: clock.now(), keyed: request.keyed });
        return { restart: current, isReplayed: false };
      }
      const refused = refusal();
      if (refused) throw refused;
      supervisor = Promise.withResolvers();
      keep(
        {
          id: `rst_${options.newId()}`,
          status: 'running',
          phase: 'draining',
          stateSaved: false,
          ...(request.reason === undefined ? {} : { reason: request.reason }),
          before: life.instance === null ? null : { instance: life.instance },
          after: null,
          startedAt: new Date(clock.now()).toISOString(),
          endedAt: null,
        },
        request.keyed,
      );
      const restart = current as unknown as Restart;
      void run(restart, request);
      return { restart, isReplayed: false };
    },
    find: (id) => book.restart(id),
    report: (report) => {
      if (report.id !== current?.id) return;
      const { stateSaved, snapshot } = report;
      change({
        ...(report.phase === 'started' ? {} : { phase: report.phase }),
        ...(stateSaved === undefined ? {} : { stateSaved }),
        ...(snapshot === undefined ? {} : { snapshot }),
      });
      if (report.phase !== 'started') return;
      supervisor.resolve();
      void complete(report);
    },
    settle: (known) => {
      if (current === undefined || current !== left || current.id === known) return;
      finish({ code: 'interrupted', message: 'the server of turns died before the agent was stopped' });
    },
    get isUnderWay() {
      return current !== undefined;
    },
    close: () => closing.abort(),
  };
}
