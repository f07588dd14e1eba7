import * as v from 'valibot';

const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9.+-]{0,63}$/, 'must be lower-case letters, digits, ".", "+" or "-", 64 at most'),
);
const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));

/** What may stand in braces in `argv`, `env` and `cwd`. */
export const templateNames = ['entrypoint', 'code', 'state', 'bot'] as const;

const template = v.pipe(
  v.string(),
  v.check(
    (value) =>
      [...value.matchAll(/\{([A-Za-z_]\w*)\}/g)].every(([, key]) => templateNames.includes(key as never)),
    `may hold only ${templateNames.map((key) => `{${key}}`).join(', ')} in braces`,
  ),
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
  env: v.optional(
    v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, 'is not a name of a variable')), template),
    {},
  ),
  cwd: v.optional(template, '{code}'),
  entrypoint: v.optional(v.picklist(['file', 'text']), 'file'),
  executable: v.optional(v.boolean(), false),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
