import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import type { Task, TaskInput } from '../config/task.ts';

/**
 * Refuses a task whose inputs are not there: `not-found` (66) with all of them by name; `damaged` (65) where one that is part of
 * the code has another checksum than the task says. Those with a key were verified when they were pulled.
 */
export async function inputsThere(task: Task, codePath: string): Promise<void> {
  const missing: string[] = [];
  for (const { id, path } of task.inputs) {
    if (path === undefined) continue;
    const code = await stat(join(codePath, path)).then(
      () => undefined,
      (error: unknown) => systemCode(error) ?? 'unknown error',
    );
    if (code !== undefined) missing.push(`the input ${id} is not there: ${path} (${code})`);
  }
  if (missing.length > 0) {
    throw new RuntimeError(
      'not-found',
      missing.length === 1 ? missing[0]! : 'inputs of the task are not there:',
      {
        op: 'inputs.check',
        ...(missing.length === 1 ? {} : { problems: missing }),
        hint: `Paths of a task are relative to CODE_PATH (${codePath}).`,
      },
    );
  }
  for (const input of task.inputs) if (input.key === undefined) await verify(input, codePath);
}

async function verify({ id, path, sha256 }: TaskInput, codePath: string): Promise<void> {
  if (path === undefined || sha256 === undefined) return;
  // A pipe would never open.
  const file = await open(join(codePath, path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) {
      throw new RuntimeError('damaged', `the input ${id} has a checksum, and ${path} is not a file`, {
        op: 'inputs.check',
      });
    }
    const digest = createHash('sha256');
    await pipeline(createReadStream('', { fd: file.fd, autoClose: false, start: 0 }), digest);
    const found = digest.digest('hex');
    if (found === sha256) return;
    throw new RuntimeError('damaged', `the input ${id}: ${path} has the SHA-256 ${found}, not ${sha256}`, {
      op: 'inputs.check',
      hint: 'The file or the checksum in the task is out of date.',
    });
  } finally {
    await file.close();
  }
}
