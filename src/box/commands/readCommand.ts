import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BoxConfig } from '../boxConfig.ts';
import { invalid } from '../http/boxError.ts';
import type { JsonObject } from '../http/readJson.ts';

/** A day. */
const MOST_MS = 24 * 60 * 60 * 1000;

export interface CommandRequest {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | undefined;
}

/** What requests that start something have in common. Throws `BoxError` 400. */
export function readCommand(body: JsonObject, { workspace, env }: BoxConfig): CommandRequest {
  const own = body.inheritEnv === false ? {} : env;
  return {
    cwd: readCwd(body.cwd, workspace),
    env: { ...own, ...readEnv(body.env) },
    timeoutMs: readTimeout(body.timeout === undefined ? 'timeoutMs' : 'timeout', body),
  };
}

export function readText(body: JsonObject, field: string): string {
  const value = body[field];
  if (typeof value !== 'string') throw invalid(field, value === undefined ? 'is missing' : 'is not a string');
  if (value.includes('\0')) throw invalid(field, 'holds a NUL');
  return value;
}

export function readCwd(value: unknown, workspace: string): string {
  if (value === undefined || value === null || value === '') return workspace;
  if (typeof value !== 'string' || value.includes('\0')) throw invalid('cwd', 'is not a path');
  const cwd = resolve(workspace, value);
  try {
    if (statSync(cwd).isDirectory()) return cwd;
  } catch {
    throw invalid('cwd', `is not there: ${cwd}`);
  }
  throw invalid('cwd', `is not a folder: ${cwd}`);
}

function readEnv(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('env', 'is not an object');
  for (const [name, text] of Object.entries(value)) {
    if (name === '' || /[=\0]/.test(name))
      throw invalid('env', `has a name that cannot be one: ${JSON.stringify(name)}`);
    if (typeof text !== 'string' || text.includes('\0'))
      throw invalid('env', `${name} is not a string, or holds a NUL`);
  }
  return value as Record<string, string>;
}

function readTimeout(field: string, body: JsonObject): number | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !(value > 0)) throw invalid(field, 'is not a number of milliseconds');
  return Math.min(Math.ceil(value), MOST_MS);
}
