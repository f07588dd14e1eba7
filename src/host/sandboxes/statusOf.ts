import type { BotView } from '../api/hostApi.ts';
import type { SandboxRecord } from './record.ts';
import type { SandboxStatus } from './sandboxes.ts';

/** Failed ends in a row after which somebody has to look at it. */
const MANY_FAILURES = 5;
/** Trying again gives nothing else. */
const hopeless = new Set(['NotFound', 'Config', 'Refused', 'Damaged']);

export interface Seen {
  readonly record: SandboxRecord;
  readonly bot: BotView | undefined;
  /** What listens inside has been reached since its instance was started. */
  readonly isReached: boolean;
}

/** In the six words that clients know; undefined: the engine does not answer, so it is as it was. */
export function statusOf({ record, bot, isReached }: Seen): SandboxStatus | undefined {
  const why = readyOf(bot)?.reason;
  // Not looked at yet.
  if (bot !== undefined && why === undefined) return undefined;
  if (why === 'EngineUnknown' || why === 'SourceUnknown') return undefined;
  if (record.wanted !== 'running') {
    if (isLive(bot)) return isReached ? 'running' : 'provisioning';
    return statusOfEnded(record);
  }
  switch (bot?.state) {
    case 'running':
    // What it runs from is being looked up, after a restart of the host.
    case 'starting':
      return isReached ? 'running' : 'provisioning';
    case 'stopping':
    case 'backoff':
      return 'provisioning';
    case 'held':
    case 'invalid':
      return 'failed';
    default:
      return 'pending';
  }
}

/** Of one that is not to run, and does not. */
export function statusOfEnded({ cause }: SandboxRecord): SandboxStatus {
  if (cause === 'failed') return 'failed';
  return cause === 'lifetime' ? 'expired' : 'stopped';
}

/** Why it will not run, however often it is tried; undefined: it may. */
export function givenUp(record: SandboxRecord, bot: BotView | undefined): string | undefined {
  if (record.wanted !== 'running' || bot === undefined || bot.state === 'running') return undefined;
  const degraded = degradedOf(bot);
  const fails = degraded !== undefined && hopeless.has(degraded.reason) && !isLive(bot);
  if (fails || bot.failures >= MANY_FAILURES) return degraded?.message ?? readyOf(bot)?.message;
  return bot.state === 'held' || bot.state === 'invalid' ? readyOf(bot)?.message : undefined;
}

/** Why it does not run yet, of one that may all the same. */
export function hinderedBy(bot: BotView | undefined): string | undefined {
  if (bot === undefined || bot.state === 'running') return undefined;
  return degradedOf(bot)?.message;
}

/** Something of it is there that has not ended. */
export function isLive(bot: BotView | undefined): boolean {
  return bot?.instances.some(({ role, state }) => role === 'bot' && state !== 'ended') ?? false;
}

const degradedOf = ({ conditions }: BotView) =>
  conditions.find(({ type, status }) => type === 'Degraded' && status === true);

const readyOf = (bot: BotView | undefined) => bot?.conditions.find(({ type }) => type === 'Ready');
