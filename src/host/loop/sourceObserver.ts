import { asRuntimeError, type RuntimeError } from '../../base/errors.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { NewEvent } from '../journal/event.ts';
import type { Recorded } from '../reconcile/recorded.ts';
import type { Listing, SourceObserver } from '../sources/source.ts';
import type { EngineView } from './engineView.ts';
import { underItsName } from './underItsName.ts';
import type { WantedView } from './wantedView.ts';

export interface ObserverDeps {
  readonly wanted: WantedView;
  readonly view: EngineView;
  readonly now: () => number;
  readonly tell: (event: NewEvent) => void;
  /** Looks at these. */
  readonly wake: (bots: Iterable<string>) => void;
  /** Of whatever anything is known. */
  readonly allBots: () => Iterable<string>;
  readonly recorded: (bot: string) => Recorded;
  /** Of `Records`. */
  readonly share: (bot: string, spec: BotSpec) => void;
}

/** How long what is no longer wanted counts among what is, when a source suddenly wants little. Milliseconds. */
const GOING_MS = 60_000;

export interface LoopObserver extends SourceObserver {
  readonly failure: RuntimeError | undefined;
  /** The engine has answered: only now is it known what the last listing would stop. Call it before anything is done. */
  engineAnswered(): void;
}

/** Takes what the source tells over into the loop. */
export function createSourceObserver(deps: ObserverDeps): LoopObserver {
  const { wanted, view } = deps;
  let failure: RuntimeError | undefined;
  let last: Listing | undefined;
  // Those that somebody has removed before it was known whether they run.
  const meantUnseen = new Set<string>();
  // While the engine is away, what ran when it last answered.
  let running: readonly string[] = [];
  /** It waits for times of its schedule, or did a moment ago: a source that loses its bots a few at a time is not believed either. */
  const awaitsTimes = ({ schedule, goneSince }: Recorded) =>
    schedule !== undefined && (goneSince === undefined || deps.now() - goneSince < GOING_MS);
  /** It runs all the time, or is about to again: after the machine was down none does. */
  const isStarted = ({ good, held, goneSince }: Recorded) =>
    good?.spec.type === 'realtime' && good.spec.enabled && held === undefined && goneSince === undefined;
  const isToRun = (bot: string) => {
    const recorded = deps.recorded(bot);
    return awaitsTimes(recorded) || isStarted(recorded);
  };
  const tell = (type: NewEvent['type'], message: string) =>
    deps.tell({ type, bot: undefined, message, facts: {} });

  function take(told: Listing): void {
    const listing = underItsName(told, deps.allBots(), deps.recorded);
    if (view.answers)
      running = [...view.bots()].filter((bot) => view.of(bot)?.some(({ state }) => state === 'running'));
    const live = new Set([...running, ...[...deps.allBots()].filter(isToRun)]);
    const heldBefore = wanted.held.length;
    const changed = wanted.listed(listing, [...live], deps.now());
    for (const bot of changed) {
      const entry = listing.get(bot);
      if (entry !== undefined && 'spec' in entry) deps.share(bot, entry.spec);
    }
    deps.wake(changed);
    if (wanted.held.length > 0 && heldBefore === 0)
      tell(
        'mass-delete',
        `the source no longer has ${wanted.held.length} of ${live.size} bots that run or would be started: they are kept until \`runtime bots confirm\``,
      );
    // What runs or is recorded and is not in the listing has to go as well.
    deps.wake([...deps.allBots()].filter((bot) => !listing.has(bot)));
  }

  return {
    get failure() {
      return failure;
    },
    listed: (listing, meant = new Set()) => {
      for (const bot of meant) wanted.mean(bot);
      if (!view.answers) for (const bot of meant) meantUnseen.add(bot);
      if (failure !== undefined) tell('source-back', 'the source answers again');
      failure = undefined;
      last = listing;
      take(listing);
    },
    engineAnswered: () => {
      for (const bot of meantUnseen) wanted.mean(bot);
      meantUnseen.clear();
      if (last !== undefined) take(last);
    },
    failed: (error) => {
      const known = asRuntimeError(error);
      if (failure?.message !== known.message)
        tell('source-failed', `the source cannot be read: ${known.message}; what was wanted stays wanted`);
      failure = known;
    },
  };
}
