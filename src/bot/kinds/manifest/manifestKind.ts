import { join } from 'node:path';
import { checkRelative, resolveEntrypoint } from '../entrypoint.ts';
import { makeExecutable } from '../executable.ts';
import type { Kind, LaunchRequest } from '../kind.ts';
import { launchArgs } from '../task/launchArgs.ts';
import type { Manifest } from './schema.ts';

export function manifestKind(manifest: Manifest, path: string): Kind {
  const isFile = manifest.entrypoint === 'file';
  return {
    id: manifest.id,
    aliases: manifest.aliases,
    displayName: manifest.displayName,
    description: manifest.description,
    status: manifest.status,
    footprint: manifest.footprint,
    source: [path],
    entrypoint: manifest.entrypoint,
    startsEarly: false,
    async launch(request) {
      if (isFile) checkRelative(request.entrypoint);
      const fill = filler(request, isFile);
      return {
        argv: [...[...manifest.wrap, ...manifest.argv].map(fill), ...launchArgs(request)],
        wrapped: manifest.wrap.length,
        env: Object.fromEntries(Object.entries(manifest.env).map(([name, value]) => [name, fill(value)])),
        cwd: fill(manifest.cwd),
        control: undefined,
      };
    },
    async verify(request) {
      if (!isFile) return;
      const real = await resolveEntrypoint(request.codePath, request.entrypoint);
      if (manifest.executable) await makeExecutable(real);
    },
  };
}

/** Values go in once and as they are: no shell reads them, and braces in them are not placeholders. */
function filler(request: LaunchRequest, isFile: boolean): (template: string) => string {
  const values: Record<string, string> = {
    entrypoint: isFile ? join(request.codePath, request.entrypoint) : request.entrypoint,
    code: request.codePath,
    state: request.stateDir,
    bot: request.botId,
  };
  return (template) => template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
