import type { InstanceSpec, Role } from '../../engine.ts';
import type { Pod } from './pod.ts';
import { labelValue } from './podName.ts';

/** What a pod says of itself. Labels are what is searched by; what must be exact is in annotations. */
export interface Labelled {
  readonly name: string;
  readonly bot: string;
  readonly role: Role;
  readonly hash: string;
  readonly run: number | undefined;
  readonly secret: string;
  readonly filesUntil: number | undefined;
}

/** The filter of every listing, and the mark without which nothing is touched. */
export const hostLabel = 'runtime.host';
export const UNTIL = 'runtime/files-until';
const roles: Readonly<Record<string, Role>> = { bot: 'bot', run: 'run', query: 'query', sandbox: 'sandbox' };
const isKey = /^([a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

export function labelsOf(spec: InstanceSpec, host: string, egress: string): Record<string, string> {
  const own = Object.entries(spec.labels).filter(([key]) => isKey.test(key) && !/^runtime[./]/.test(key));
  return {
    ...Object.fromEntries(own.map(([key, value]) => [key, value === '' ? '' : labelValue(value)])),
    'app.kubernetes.io/managed-by': 'runtime-host',
    [hostLabel]: host,
    'runtime.bot': labelValue(spec.bot),
    'runtime.role': spec.role,
    'runtime.egress': egress,
  };
}

export function annotationsOf(spec: InstanceSpec, secret: string): Record<string, string> {
  return {
    'runtime/name': spec.name,
    'runtime/bot': spec.bot,
    'runtime/spec': spec.hash,
    'runtime/secret': secret,
    ...(spec.run !== undefined && { 'runtime/run': String(spec.run) }),
    ...(spec.filesUntil !== undefined && { [UNTIL]: String(spec.filesUntil) }),
    'kubectl.kubernetes.io/default-container': 'bot',
  };
}

/** Undefined: not ours, or not whole. */
export function readLabels({ metadata }: Pod, host: string): Labelled | undefined {
  const { labels = {}, annotations = {} } = metadata;
  const role = roles[labels['runtime.role'] ?? ''];
  const {
    'runtime/name': name,
    'runtime/bot': bot,
    'runtime/run': run,
    'runtime/secret': secret,
  } = annotations;
  if (labels[hostLabel] !== host || !role || !name || !bot || !secret) return undefined;
  if (run !== undefined && !/^\d+$/.test(run)) return undefined;
  const until = Number(annotations[UNTIL]);
  return {
    name,
    bot,
    role,
    hash: annotations['runtime/spec'] ?? '',
    run: run === undefined ? undefined : Number(run),
    secret,
    filesUntil: until > 0 ? until : undefined,
  };
}
