import type { Journal } from '../journal/event.ts';
import type { BotState, Loop } from '../loop/loop.ts';
import type { BotsHere } from '../owners/botsHere.ts';
import type { OpenedOwners } from '../owners/openOwners.ts';
import { nameOf } from '../owners/owners.ts';
import { dueTimes } from '../schedule/due.ts';

export interface KeepOwners {
  readonly owners: OpenedOwners;
  readonly loop: Loop;
  readonly types: ReadonlySet<string>;
  readonly journal: Journal;
  readonly now: () => number;
}

/** The agent ended its bot and could not save all of its state: what is newest is here alone. */
const UNSAVED = 74;
/** Names in a message. */
const SHOWN = 5;

/** Tells other hosts of the same store which bots are this one's, and the loop which are theirs, until the signal. */
export async function keepOwners(deps: KeepOwners, signal: AbortSignal): Promise<void> {
  const { owners, loop } = deps;
  const over = loop.onChange(owners.changed);
  try {
    await owners.run(botsHere(deps), signal);
  } finally {
    over();
  }
}

function botsHere({ loop, types, journal, now }: KeepOwners): BotsHere {
  return {
    all: () => loop.bots(),
    wish: (bot) => wishOf(loop.state(bot), loop.draining, types),
    wake: loop.wake,
    refused: (by, bots) => {
      const more = bots.length > SHOWN ? ` and ${bots.length - SHOWN} more` : '';
      const message = `not run here, because ${nameOf(by)} has them in the same store: ${bots.slice(0, SHOWN).join(', ')}${more}`;
      journal.write({
        type: 'held-elsewhere',
        bot: undefined,
        message,
        facts: { host: by.host, bots: bots.length },
      });
    },
    takenOver: (bot, from, heardAt) => {
      const message = `taken over from ${nameOf(from)}`;
      journal.write({ type: 'taken-over', bot, message, facts: { host: from.host } });
      const { wanted } = loop.state(bot);
      if (wanted.type !== 'present' || wanted.schedule === undefined || heardAt === undefined) return;
      const { times, earlier } = dueTimes(wanted.schedule, heardAt, now(), SHOWN);
      const [first, last] = [times[0], times.at(-1)];
      if (first === undefined || last === undefined) return;
      const start = earlier ? heardAt : first;
      journal.write({
        type: 'missed',
        bot,
        message: `not run here, because ${nameOf(from)} had the bot and may have run them: ${iso(start)} to ${iso(last)}`,
        facts: { from: start, to: last },
      });
    },
    doubled: (other, message) =>
      journal.write({
        type: 'host-doubled',
        bot: undefined,
        message:
          message ??
          'another host with the id of this one lives: it works with a copy of this data folder, or on a copy of this machine. Remove the file host-id from the copy',
        facts: { startedAt: other.startedAt, copy: message !== undefined },
      }),
  };
}

/** What a host says of one of its bots to the others. */
export function wishOf(
  { wanted, instances, recorded }: Pick<BotState, 'wanted' | 'instances' | 'recorded'>,
  draining: boolean,
  types: ReadonlySet<string>,
): 'take' | 'leave' | 'keep' {
  if (wanted.type === 'unknown' || instances === undefined) return 'keep';
  if (recorded.claim !== undefined || instances.some(({ state }) => state !== 'ended')) return 'take';
  if (recorded.ended?.exitCode === UNSAVED) return wanted.type === 'absent' ? 'leave' : 'take';
  if (wanted.type === 'absent' || draining) return 'leave';
  if (wanted.type === 'invalid') return 'keep';
  if (!types.has(wanted.spec.type)) return 'leave';
  // Its state is published anew, whether it is to run or not.
  if (recorded.rollback !== undefined) return 'take';
  if (!wanted.spec.enabled) return 'leave';
  const { held } = recorded;
  // One that waits for a change keeps what it has, and takes nothing from a host where it may run. Once it has changed it would start.
  const isHeld = held !== undefined && (wanted.hash === undefined || held.hash === wanted.hash);
  return isHeld ? 'keep' : 'take';
}

const iso = (time: number) => new Date(time).toISOString();
