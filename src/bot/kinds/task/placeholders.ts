import { join } from 'node:path';
import { RuntimeError } from '../../../base/errors.ts';
import type { LaunchRequest } from '../kind.ts';

/** What stands for `{name.attribute}` in a command and in `args`. */
export function placeholders({ botId, codePath, task }: LaunchRequest): ReadonlyMap<string, string> {
  const values = new Map([
    ['task.name', task.name],
    ['task.id', botId],
  ]);
  for (const { id, path, value } of task.inputs) {
    if (path !== undefined) values.set(`${id}.path`, join(codePath, path));
    else values.set(`${id}.value`, typeof value === 'string' ? value : JSON.stringify(value));
    values.set(`${id}.id`, id);
  }
  for (const { id, path } of task.outputs) values.set(`${id}.path`, join(codePath, path)).set(`${id}.id`, id);
  return values;
}

/** The value of the placeholder `text`; throws `config` with the known ones where it has none. */
export function knownPlaceholder(
  values: ReadonlyMap<string, string>,
  name: string,
  text: string,
  where: string,
): string {
  const value = values.get(name);
  if (value !== undefined) return value;
  throw new RuntimeError('config', `${where} has an unknown placeholder ${text}`, {
    hint: `Known here: ${[...values.keys()].map((key) => `{${key}}`).join(', ')}`,
  });
}
