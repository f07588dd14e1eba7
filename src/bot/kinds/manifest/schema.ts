import * as v from 'valibot';

const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9.+-]{0,63}$/, 'must be lower-case letters, digits, ".", "+" or "-", 64 at most'),
);
const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));

/** What may stand in braces in `argv`, `env` and `cwd`; `{port}` only of an agent with `openai`. */
export const templateNames = ['entrypoint', 'code', 'state', 'bot', 'port', 'here'] as const;

const template = v.pipe(
  v.string(),
  v.check(
    (value) =>
      [...value.matchAll(/\{([A-Za-z_]\w*)\}/g)].every(([, key]) => templateNames.includes(key as never)),
    `may hold only ${templateNames.map((key) => `{${key}}`).join(', ')} in braces`,
  ),
);

const path = v.pipe(v.string(), v.regex(/^\/[!-~]*$/, 'must begin with "/"'));
const variable = v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, 'is not a name of a variable'));
const portNumber = v.pipe(
  v.number('must be "{port}" or a number'),
  v.integer(),
  v.minValue(1024),
  v.maxValue(65_535),
);

export const openaiSchema = v.strictObject({
  port: v.optional(v.union([v.literal('{port}'), portNumber], 'must be "{port}" or a number'), '{port}'),
  path: v.optional(path, '/v1/chat/completions'),
  health: v.optional(path, '/health'),
  model: v.optional(text, 'agent'),
  conversation: v.optional(
    v.union(
      [
        v.strictObject({ body: v.pipe(v.string(), v.regex(/^[A-Za-z_]\w{0,63}$/, 'is not a field')) }),
        v.strictObject({
          header: v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'is not a header')),
        }),
      ],
      'must be {body: FIELD} or {header: NAME}',
    ),
  ),
  key: v.optional(v.strictObject({ env: variable })),
});

const agent = v.pipe(
  v.strictObject({
    protocol: v.picklist(['acp', 'openai', 'handler']),
    usage: v.optional(v.picklist(['turn', 'cumulative', 'none']), 'turn'),
    resume: v.optional(v.picklist(['resume', 'load', 'none'])),
    permissions: v.optional(v.picklist(['reject', 'allow']), 'reject'),
    openai: v.optional(openaiSchema),
  }),
  v.forward(
    v.check(
      ({ protocol, openai }) => protocol === 'openai' || openai === undefined,
      'is only for the protocol openai',
    ),
    ['openai'],
  ),
);

/** A file beside the manifest: the lock, where there is one, has to name it. */
const source = v.pipe(
  v.string(),
  v.regex(/^[\w][\w.+-]*(\/[\w][\w.+-]*)*$/, 'must be a path below the folder of the manifest'),
);

/** A kind as a manifest declares it; `docs/kinds.md` describes each field. */
export const manifestSchema = v.strictObject({
  id: name,
  aliases: v.optional(v.array(name), []),
  displayName: text,
  description: text,
  status: v.optional(v.picklist(['stable', 'experimental']), 'experimental'),
  footprint: v.optional(text, 'not stated'),
  argv: v.pipe(v.array(template), v.minLength(1, 'must name a program')),
  wrap: v.optional(v.array(template), []),
  env: v.optional(v.record(variable, template), {}),
  cwd: v.optional(template, '{code}'),
  entrypoint: v.optional(v.picklist(['file', 'text', 'none'])),
  executable: v.optional(v.boolean(), false),
  stopSeconds: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(3600))),
  agent: v.optional(agent),
  sources: v.optional(v.array(source), []),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
