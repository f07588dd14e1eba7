import { dirname, join } from 'node:path';
import * as v from 'valibot';
import type { AgentSpec } from '../agentSpec.ts';
import { checkRelative, resolveEntrypoint } from '../entrypoint.ts';
import { makeExecutable } from '../executable.ts';
import type { Kind, LaunchRequest } from '../kind.ts';
import { launchArgs } from '../task/launchArgs.ts';
import { type Manifest, openaiSchema } from './schema.ts';

export function manifestKind(manifest: Manifest, path: string): Kind {
  const entrypoint = manifest.entrypoint ?? guessed(manifest);
  const isFile = entrypoint === 'file';
  return {
    id: manifest.id,
    aliases: manifest.aliases,
    displayName: manifest.displayName,
    description: manifest.description,
    status: manifest.status,
    footprint: manifest.footprint,
    source: [path, ...manifest.sources.map((name) => join(dirname(path), name))],
    entrypoint,
    startsEarly: false,
    ...(manifest.agent ? { agent: agentSpec(manifest.agent) } : {}),
    ...(manifest.stopSeconds === undefined ? {} : { stopSeconds: manifest.stopSeconds }),
    async launch(request) {
      if (isFile) checkRelative(request.entrypoint);
      const fill = filler(request, isFile, dirname(path));
      return {
        argv: [...[...manifest.wrap, ...manifest.argv].map(fill), ...launchArgs(request)],
        wrapped: manifest.wrap.length,
        env: {
          ...Object.fromEntries(Object.entries(manifest.env).map(([name, value]) => [name, fill(value)])),
          ...keyFor(manifest, request),
        },
        cwd: fill(manifest.cwd),
        control: undefined,
        ...(manifest.agent?.protocol === 'acp' ? { channel: 'stdio' as const } : {}),
      };
    },
    async verify(request) {
      if (!isFile) return;
      const real = await resolveEntrypoint(request.codePath, request.entrypoint);
      if (manifest.executable && !request.dryRun)
        makeExecutable(real, filler(request, isFile, dirname(path))(manifest.cwd));
    },
  };
}

/** An agent that exists already is its own program: nothing of the bot's is launched by name, unless its words say so. */
function guessed({ agent, argv, wrap, env, cwd }: Manifest): 'file' | 'none' {
  const isNamed = [...argv, ...wrap, ...Object.values(env), cwd].some((word) =>
    word.includes('{entrypoint}'),
  );
  return agent === undefined || agent.protocol === 'handler' || isNamed ? 'file' : 'none';
}

function agentSpec({
  protocol,
  usage,
  resume,
  permissions,
  openai,
}: NonNullable<Manifest['agent']>): AgentSpec {
  const { port, conversation, key, ...paths } = openai ?? v.parse(openaiSchema, {});
  return {
    protocol,
    usage,
    resume,
    permissions,
    openai:
      protocol === 'openai'
        ? { ...paths, port: port === '{port}' ? undefined : port, conversation, key }
        : undefined,
  };
}

function keyFor({ agent }: Manifest, { endpoint }: LaunchRequest): Record<string, string> {
  const name = agent?.openai?.key?.env;
  return name === undefined || endpoint === undefined ? {} : { [name]: endpoint.key };
}

/** Values go in once and as they are: no shell reads them, and braces in them are not placeholders. */
function filler(request: LaunchRequest, isFile: boolean, here: string): (template: string) => string {
  const values: Record<string, string> = {
    entrypoint: isFile ? join(request.codePath, request.entrypoint) : request.entrypoint,
    code: request.codePath,
    state: request.stateDir,
    bot: request.botId,
    port: String(request.endpoint?.port ?? ''),
    here,
  };
  return (template) => template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
