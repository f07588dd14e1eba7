import { createHash } from 'node:crypto';
import { type Measure, measuredBody } from './measuredBody.ts';
import type { ObjectBody } from './objectStore.ts';

/** Hex SHA-256 of a body; a source is opened and read once. */
export async function sha256Of(body: ObjectBody, measure: Omit<Measure, 'sha256'>): Promise<string> {
  const hash = createHash('sha256');
  if (body instanceof Uint8Array) return hash.update(body).digest('hex');
  for await (const chunk of measuredBody(body, measure)) hash.update(chunk);
  return hash.digest('hex');
}

export function sizeOf(body: ObjectBody): number {
  return body instanceof Uint8Array ? body.length : body.size;
}
