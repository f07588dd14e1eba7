import { readFileSync } from 'node:fs';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import type { Owner } from '../../base/owner.ts';
import { unmappedUser } from './unmappedUser.ts';

/** What root can do for a bot that is another user: capabilities(7), with their numbers. */
const NUMBERS = { CHOWN: 0, DAC_OVERRIDE: 1, FOWNER: 3, SETGID: 6, SETUID: 7 } as const;

export type Capability = keyof typeof NUMBERS;

/** Of `wanted`, those that this process does not have; none where the system does not say. */
export function lackedCapabilities(
  wanted: readonly Capability[],
  statusFile = '/proc/self/status',
): readonly Capability[] {
  let effective: bigint;
  try {
    effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(statusFile, 'latin1'))![1]!}`);
  } catch {
    return [];
  }
  return wanted.filter((name) => (effective & (1n << BigInt(NUMBERS[name]))) === 0n);
}

/** To start programs as the bot's user; and besides that, to read and write what is theirs. */
export const TO_RUN = ['SETUID', 'SETGID'] as const satisfies Capability[];
export const TO_WRITE = ['DAC_OVERRIDE'] as const satisfies Capability[];

/** Throws `config` where the bot is another user, whom we cannot do that for. */
export function requireCapabilities(user: Owner | undefined, wanted: readonly Capability[]): void {
  if (user === undefined || user.uid === 0) return;
  const unmapped = unmappedUser(user);
  if (unmapped) throw unmapped;
  // All capabilities that a start may need, so that the operator adds them once. Where CAP_FOWNER is missing, a start does without it.
  if (lackedCapabilities(wanted).length > 0) throw lacking(lackedCapabilities([...wanted, 'CHOWN']), user);
}

/** What went wrong, or the capability without which it had to: nothing that is given to the bot's user can be without CAP_CHOWN. */
export function blameCapability(error: unknown, user: Owner | undefined): unknown {
  if (user === undefined || !isForbidden(error)) return error;
  const lacked = lackedCapabilities(['CHOWN', 'FOWNER']);
  return lacked.length === 0 ? error : lacking(lacked, user, error);
}

function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return systemCode(error) === 'EPERM' || isForbidden(error.cause);
}

/** As an error: what is missing, and the ways out. */
export function lacking(lacked: readonly Capability[], user: Owner, cause?: unknown): RuntimeError {
  const names = lacked.map((name) => `CAP_${name}`).join(', ');
  const text = `started as root without ${names}, which a bot that runs as ${user.uid}:${user.gid} needs`;
  const other =
    user.uid === 0
      ? 'Set BOT_USER=none, which leaves the bot root and needs no capability'
      : `Start the container as that user (--user ${user.uid}:${user.gid}: it needs no capability)`;
  return new RuntimeError('config', text, {
    op: 'start.prepare',
    hint: `${other}, or leave root ${names}.`,
    cause,
  });
}
