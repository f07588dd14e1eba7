import { join } from 'node:path';
import type { LaunchRequest } from '../kind.ts';

/** The task as launchers get it: strings and lists, whose JSON is a literal in Python as well. */
export interface LaunchTask {
  readonly task: string;
  /** `[id, absolute path, '']`; of a value `[id, '', JSON text]` */
  readonly inputs: readonly (readonly [string, string, string])[];
  /** `[id, absolute path]` */
  readonly outputs: readonly (readonly [string, string])[];
}

export function launchTask({ codePath, task }: LaunchRequest): LaunchTask {
  return {
    task: task.name,
    inputs: task.inputs.map(({ id, path, value }) =>
      path === undefined ? [id, '', JSON.stringify(value)] : [id, join(codePath, path), ''],
    ),
    outputs: task.outputs.map(({ id, path }) => [id, join(codePath, path)]),
  };
}
