import { isExactNumber } from '../../../base/exactJson.ts';

/** Python reads no more than some 900 levels, and no number of more than 4,300 digits: what it cannot read ends it, and all turns with it. */
const MAX_DEPTH = 128;
const MAX_DIGITS = 1000;

/** Why an agent could not read this, whatever it is written in; undefined: it can. */
export function metadataProblem(metadata: object): string | undefined {
  return problem(metadata, MAX_DEPTH);
}

function problem(value: unknown, levels: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isExactNumber(value)) {
    return JSON.stringify(value).length > MAX_DIGITS
      ? `has a number of more than ${MAX_DIGITS} digits`
      : undefined;
  }
  if (levels === 0) return `is nested more than ${MAX_DEPTH} levels deep`;
  for (const inner of Object.values(value)) {
    const found = problem(inner, levels - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
