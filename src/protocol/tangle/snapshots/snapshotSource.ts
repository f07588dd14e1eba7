import type { NewSandbox } from '../../../host/sandboxes/sandboxes.ts';
import { type Caller, owns } from '../access/caller.ts';
import { notFound } from '../http/httpError.ts';
import type { Parts } from '../parts.ts';

/**
 * Where a sandbox may begin: `snp-…`, a snapshot that is kept; `<sandbox>@<sequence>`, one of the last publishes of a sandbox; `<sandbox>`, its newest.
 * Throws 404.
 */
export function snapshotSource(
  { sandboxes, snapshots }: Pick<Parts, 'sandboxes' | 'snapshots'>,
  caller: Caller,
  id: string,
): NonNullable<NewSandbox['from']> {
  const kept = snapshots.find(id);
  // In a state of its own there is only that one.
  if (kept !== undefined && owns(caller, kept)) return { sandbox: kept.id, sequence: undefined };
  const [, name = '', sequence] = /^([^@]{1,128})(?:@(\d{1,15}))?$/.exec(id) ?? [];
  const sandbox = sandboxes.find(name);
  if (sandbox === undefined || !owns(caller, sandbox)) throw notFound('snapshot', id);
  return { sandbox: sandbox.id, sequence: sequence === undefined ? undefined : Number(sequence) };
}
