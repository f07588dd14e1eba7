import { invalid } from '../http/boxError.ts';
import type { JsonObject } from '../http/readJson.ts';

const MOST_SIDE = 1000;

/** Lines or columns. Throws `BoxError` 400. */
export function readSide(body: JsonObject, field: string, usual: number): number {
  const value = body[field] ?? usual;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_SIDE) return value;
  throw invalid(field, `is not a number from 1 to ${MOST_SIDE}`);
}
