import { RuntimeError } from '../../base/errors.ts';
import { isSameSpec } from '../bots/isSameSpec.ts';
import type { Recorded } from '../reconcile/recorded.ts';

/** A line of the records, `BOT JSON`; null: nothing is recorded of it any more. */
export function recordLine(bot: string, recorded: Recorded | null): string {
  return `${bot} ${recordText(recorded)}\n`;
}

export function recordText(recorded: Recorded | null): string {
  return JSON.stringify(recorded && lean(recorded));
}

/** A specification that is recorded twice, as what runs and as what is wanted, is written once. */
function lean(recorded: Recorded): object {
  const { current, good } = recorded;
  if (good === undefined || current === undefined) return recorded;
  return isSameSpec(good.spec, current.spec) ? { ...recorded, good: { origin: good.origin } } : recorded;
}

/** What a text says. Throws what is wrong with it. */
export function readRecord(text: string): Recorded | null {
  const value = JSON.parse(text) as (Omit<Recorded, 'good'> & { good?: Partial<Recorded['good']> }) | null;
  if (value === null) return null;
  if (value.version !== 1) throw new RuntimeError('damaged', `its record has the version ${value.version}`);
  const { good, ...rest } = value;
  if (good?.origin === undefined) return rest;
  const spec = good.spec ?? rest.current?.spec;
  return spec === undefined ? rest : { ...rest, good: { origin: good.origin, spec } };
}
