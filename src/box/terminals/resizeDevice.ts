import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { BoxError } from '../http/boxError.ts';
import type { TerminalSize } from './terminal.ts';

const STTY_MS = 5000;
/** script(1) makes it right after its start. */
const LOOKS = 100;
const LOOK_MS = 20;

/** Sets the size of the terminal that this script(1) has made; the kernel tells whoever is in front. Throws `BoxError` 409. */
export async function resizeDevice(script: number, size: TerminalSize, clock: Clock): Promise<void> {
  const device = await whenMade(script, clock);
  if (device === undefined) throw new BoxError(409, 'SESSION_NOT_RUNNING', 'the terminal is not ready');
  await new Promise<void>((resolve, reject) => {
    const words = ['-F', device, 'rows', String(size.rows), 'cols', String(size.cols)];
    execFile('stty', words, { timeout: STTY_MS }, (error) => {
      if (error) reject(new BoxError(409, 'SESSION_NOT_RUNNING', 'the terminal cannot be resized'));
      else resolve();
    });
  });
}

async function whenMade(script: number, clock: Clock): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    const device = deviceOf(script);
    if (device !== undefined || look === LOOKS) return device;
    await clock.sleep(LOOK_MS);
  }
}

/** The terminal that script(1) has made: what its child has for its stdin. */
function deviceOf(script: number): string | undefined {
  try {
    const [child] = readFileSync(`/proc/${script}/task/${script}/children`, 'latin1').trim().split(' ');
    const device = readlinkSync(`/proc/${Number(child)}/fd/0`);
    return /^\/dev\/pts\/\d+$/.test(device) ? device : undefined;
  } catch {
    return undefined;
  }
}
