import { join } from 'node:path';
import { BUILT, checkRelative, resolveEntrypoint } from './entrypoint.ts';
import { makeExecutable } from './executable.ts';
import type { Kind } from './kind.ts';
import { launchArgs } from './task/launchArgs.ts';

export const dotnet8: Kind = {
  id: 'dotnet8',
  aliases: [],
  displayName: '.NET 8',
  description: 'An assembly (bot.dll), or a self-contained program.',
  status: 'stable',
  footprint: 'about 70 MB in the image, not measured at rest',
  source: ['src/bot/kinds/dotnet8.ts'],
  entrypoint: 'file',
  startsEarly: false,
  async launch(request) {
    checkRelative(request.entrypoint);
    const path = join(request.codePath, request.entrypoint);
    return {
      argv: [...(isAssembly(path) ? ['dotnet', path] : [path]), ...launchArgs(request)],
      env: {},
      cwd: request.codePath,
      control: undefined,
    };
  },
  async verify(request) {
    const path = await resolveEntrypoint(request.codePath, request.entrypoint, BUILT);
    if (!request.dryRun && !isAssembly(request.entrypoint)) makeExecutable(path, request.codePath);
  },
};

function isAssembly(path: string): boolean {
  return path.endsWith('.dll');
}
