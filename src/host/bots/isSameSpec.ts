import type { BotSpec } from './botSpec.ts';

/**
 * Do they say the same, as JSON? One of them may have been recorded as such, which leaves out what is undefined and has null for what is no
 * number. Asked at every look at a bot, so without making texts of both.
 */
export function isSameSpec(one: BotSpec, other: BotSpec): boolean {
  return isSame(one, other);
}

function isSame(a: unknown, b: unknown): boolean {
  const [one, other] = [asJson(a), asJson(b)];
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, i) => isSame(item ?? null, other[i] ?? null));
  }
  const [from, to] = [one, other] as [Record<string, unknown>, Record<string, unknown>];
  for (const key in from) if (!isSame(from[key], to[key])) return false;
  for (const key in to) if (!(key in from) && to[key] !== undefined) return false;
  return true;
}

function asJson(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}
