import { sha256, startSha256 } from '../base/sha256.ts';
import { type Measure, measuredBody } from './measuredBody.ts';
import type { ObjectBody } from './objectStore.ts';

/** Hex SHA-256 of a body; a source is opened and read once. */
export async function sha256Of(body: ObjectBody, measure: Omit<Measure, 'sha256'>): Promise<string> {
  if (body instanceof Uint8Array) return sha256(body);
  const hash = startSha256(body.size);
  for await (const chunk of measuredBody(body, measure)) hash.update(chunk);
  return hash.digest();
}

export function sizeOf(body: ObjectBody): number {
  return body instanceof Uint8Array ? body.length : body.size;
}
