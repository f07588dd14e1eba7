import * as v from 'valibot';
import { RpcError } from './rpcError.ts';

/** What an operator may write under `runtime.providers.<name>.config`. */
export const providerConfigSchema = v.object({
  /** The Docker Engine: `unix:///…`, a path or `tcp://…`. */
  engine: v.optional(v.string()),
  /** For sessions that name neither an image nor a template. */
  image: v.optional(v.string()),
  /** Images by the name that a plugin's `runtime.template` says. */
  templates: v.optional(v.record(v.string(), v.object({ image: v.string() })), {}),
  /** The engine's network for sessions without a policy. */
  network: v.optional(v.string(), 'bridge'),
  /** `512Mi`, `2Gi` or bytes, of memory; a session that needs more is ended, and says so. */
  memory: v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(parseBytes)), '2Gi'),
  /** Cores; shared by those that want them, not a ceiling. */
  cpu: v.optional(v.pipe(v.number(), v.minValue(0.01)), 1),
  pids: v.optional(v.pipe(v.number(), v.integer(), v.minValue(8)), 1024),
  /** Until a plugin accepts, seconds; gestaltd itself waits for 45. */
  startTimeout: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(44)), 40),
  /** Run by `git` for workspaces: files of credentials are the image's own. */
  git: v.optional(v.object({ command: v.optional(v.string(), 'git') }), {}),
});

export type ProviderConfig = v.InferOutput<typeof providerConfigSchema>;

/** Unknown names are read over: without a `config`, gestaltd sends its own description of the provider. */
export function parseProviderConfig(given: Readonly<Record<string, unknown>>): ProviderConfig {
  // That description's own names, which mean something else.
  const own = 'manifestPath' in given ? {} : given;
  const parsed = v.safeParse(providerConfigSchema, own);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => `config.${v.getDotPath(issue) ?? '?'}: ${issue.message}`);
  throw new RpcError('INVALID_ARGUMENT', problems.join('; '));
}

function parseBytes(given: string | number): number {
  const [, digits = '', unit = ''] = /^(\d+)(Ki|Mi|Gi|)$/.exec(String(given)) ?? [];
  const power = { '': 0, Ki: 1, Mi: 2, Gi: 3 }[unit] ?? Number.NaN;
  const bytes = digits === '' ? Number.NaN : Number(digits) * 1024 ** power;
  if (!(bytes >= 16 * 1024 ** 2))
    throw new RpcError('INVALID_ARGUMENT', `config.memory: ${given} is not at least 16Mi`);
  return bytes;
}
