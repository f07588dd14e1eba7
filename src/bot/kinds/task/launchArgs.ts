import type { LaunchRequest } from '../kind.ts';
import { knownPlaceholder, placeholders } from './placeholders.ts';

const placeholder = /\{([A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * The task's `args`, placeholders filled in; each stays one word, whatever its values hold. Only the bot gets them: a query
 * program is another program. Throws `config` for an unknown placeholder.
 */
export function launchArgs(request: LaunchRequest): readonly string[] {
  if (request.role !== 'bot') return [];
  const values = placeholders(request);
  return request.task.args.map((word) =>
    word.replace(placeholder, (text, name: string) => knownPlaceholder(values, name, text, 'args')),
  );
}
