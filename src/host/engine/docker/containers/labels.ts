import type { InstanceSpec, Role } from '../../engine.ts';

/** What a container says of itself. */
export interface Labelled {
  readonly bot: string;
  readonly role: Role;
  readonly hash: string;
  readonly run: number | undefined;
}

type Labels = Readonly<Record<string, string>>;

const roles: Readonly<Record<string, Role>> = { bot: 'bot', run: 'run', query: 'query', sandbox: 'sandbox' };

/** The filter of every listing, and the mark without which nothing is touched. */
export const hostLabel = 'runtime.host';

export function labelsOf(spec: InstanceSpec, host: string): Labels {
  return {
    ...spec.labels,
    [hostLabel]: host,
    'runtime.bot': spec.bot,
    'runtime.role': spec.role,
    'runtime.spec': spec.hash,
    ...(spec.run !== undefined && { 'runtime.run': String(spec.run) }),
  };
}

/** Undefined: not ours, or not whole. */
export function readLabels(labels: Labels | null | undefined, host: string): Labelled | undefined {
  if (labels?.[hostLabel] !== host) return undefined;
  const bot = labels['runtime.bot'];
  const role = roles[labels['runtime.role'] ?? ''];
  const run = labels['runtime.run'];
  if (!bot || !role || (run !== undefined && !/^\d+$/.test(run))) return undefined;
  return { bot, role, hash: labels['runtime.spec'] ?? '', run: run === undefined ? undefined : Number(run) };
}
