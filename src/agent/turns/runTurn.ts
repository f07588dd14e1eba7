import type { Clock } from '../../base/clock.ts';
import type { ReportedUsage, TurnEnd, TurnEvent, TurnRequest } from '../links/agentLink.ts';
import { addUp } from './addUp.ts';
import { failed, type Judgement, judgeEnd, type Outcome, STOPPED } from './outcome.ts';
import type { Readers } from './readers.ts';
import { hasEnded, type TurnRecord } from './turn.ts';
import type { Asked } from './waiting.ts';
import { createWellFormed } from './wellFormed.ts';

/** A turn that runs, as whoever wants to end it has it. */
export interface Running {
  readonly abort: AbortController;
  /** How it ends, whatever its agent says, where somebody else has ended it. */
  ended: Judgement | undefined;
}

/** The first one who stops it says how it ends. */
export function stop(state: Running, how: Judgement): void {
  state.ended ??= how;
  state.abort.abort(new Error(how.error?.message ?? how.status));
}

const TOO_MUCH = failed({ code: 'agent_failed', message: 'the agent said more than a turn may hold' });

export interface RunTurnOptions {
  readonly clock: Clock;
  readonly readers: Readers;
  readonly timeoutMs: number;
  readonly send: (
    request: TurnRequest,
    tell: (event: TurnEvent) => void,
    signal: AbortSignal,
  ) => Promise<TurnEnd>;
  readonly isStopping: () => boolean;
}

/** Sends a turn to the agent, and resolves with how it has ended. `session`: what an earlier one of its conversation ended with. */
export async function runTurn(
  options: RunTurnOptions,
  record: TurnRecord,
  { message, metadata }: Asked,
  session: string | undefined,
  state: Running,
): Promise<Outcome> {
  const { clock, readers, timeoutMs } = options;
  const startedAt = clock.now();
  Object.assign(record, { status: 'running', startedAt });
  readers.changed(record.id);
  const reports: ReportedUsage[] = [];
  const characters = createWellFormed();
  const keep = (said: Parameters<typeof record.log.add>[0]) => {
    if (said.type === 'delta' && said.text !== '') record.firstTokenMs ??= clock.now() - startedAt;
    if (!record.log.add(said)) stop(state, TOO_MUCH);
    readers.changed(record.id);
  };
  const tell = (event: TurnEvent) => {
    if (hasEnded(record)) return;
    if (event.type === 'usage') {
      reports.push(event.usage);
      return;
    }
    const said = characters.take(event);
    if (said) keep(said);
  };
  const over = new AbortController();
  clock.sleep(timeoutMs, over.signal).then(
    () =>
      stop(
        state,
        failed({ code: 'timeout', message: `the agent did not end the turn within ${timeoutMs} ms` }),
      ),
    () => undefined,
  );
  const request = { id: record.id, conversation: record.conversation, session, message, metadata };
  const [outcome] = await Promise.allSettled([options.send(request, tell, state.abort.signal)]);
  over.abort();
  characters.rest().forEach(keep);
  const end = outcome.status === 'fulfilled' ? outcome.value : undefined;
  if (end?.usage) reports.push(end.usage);
  const wasTakenAlong = outcome.status === 'rejected' && options.isStopping();
  return {
    ...(state.ended ?? (wasTakenAlong ? failed(STOPPED) : judgeEnd(outcome, record))),
    added: addUp(reports, record.messageBytes, record.log),
    ...(end?.session === undefined ? {} : { session: end.session }),
  };
}
