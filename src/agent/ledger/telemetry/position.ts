import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../base/errors.ts';
import { replaceFile } from '../../../base/replaceFile.ts';

/** How far the receiver has been told; kept here, and in the store for the next container. */
export interface TelemetryPosition {
  readonly version: 1;
  /** The last turn that is done with. Undefined: none is. */
  readonly last?: { readonly requestId: string; readonly at: string } | undefined;
  /** Turns that were too old when they could have been told. */
  readonly skipped: number;
  /** Turns that the receiver does not take. */
  readonly rejected: number;
  /** Why nothing is told now; undefined: it is. */
  readonly trouble?: string | undefined;
}

export const nothingTold: TelemetryPosition = { version: 1, skipped: 0, rejected: 0 };

export function readPosition(dir: string): TelemetryPosition | undefined {
  try {
    return parsePosition(readFileSync(path(dir), 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function parsePosition(text: string): TelemetryPosition | undefined {
  try {
    const value = JSON.parse(text) as TelemetryPosition;
    return value.version === 1 ? value : undefined;
  } catch {
    return undefined;
  }
}

export function writePosition(dir: string, position: TelemetryPosition): void {
  replaceFile(path(dir), JSON.stringify(position), { mode: 0o640 });
}

/** For the agent's health. */
export function readTelemetryTrouble(dir: string): string | undefined {
  const { trouble } = readPosition(dir) ?? {};
  return trouble === undefined ? undefined : `telemetry is held up: ${trouble}`;
}

function path(dir: string): string {
  return join(dir, 'telemetry.json');
}
