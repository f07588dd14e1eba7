import { join } from 'node:path';
import { BUILT, checkRelative, resolveEntrypoint } from './entrypoint.ts';
import { makeExecutable } from './executable.ts';
import type { Kind } from './kind.ts';
import { launchArgs } from './task/launchArgs.ts';

/** A kind whose entrypoint is a program that the system runs by itself. */
export function compiled(facts: Omit<Kind, 'entrypoint' | 'startsEarly' | 'launch' | 'verify'>): Kind {
  return {
    ...facts,
    entrypoint: 'file',
    startsEarly: false,
    async launch(request) {
      checkRelative(request.entrypoint);
      return {
        argv: [join(request.codePath, request.entrypoint), ...launchArgs(request)],
        env: {},
        cwd: request.codePath,
        control: undefined,
      };
    },
    async verify(request) {
      const path = await resolveEntrypoint(request.codePath, request.entrypoint, BUILT);
      if (!request.dryRun) makeExecutable(path, request.codePath);
    },
  };
}
