type Json = Readonly<Record<string, unknown>>;

/**
 * A JSON schema as Kubernetes takes it ("structural"): every field has one type, or is left to whoever reads it. What this cannot say
 * (patterns of names, one of two shapes) the host says in the condition `Valid`.
 */
export function structural(schema: Json): Json {
  const options = (schema.anyOf as Json[] | undefined)?.flatMap(flat);
  if (options !== undefined) return oneOf(options);
  const { type, properties, required, items, additionalProperties } = schema;
  if (type === 'object' && properties !== undefined)
    return {
      type,
      ...(Array.isArray(required) && required.length > 0 ? { required } : {}),
      properties: each(properties as Record<string, Json>),
    };
  if (type === 'object') {
    const values = structural(additionalProperties as Json);
    return values.type === undefined && values['x-kubernetes-int-or-string'] === undefined
      ? { type, ...anything }
      : { type, additionalProperties: values };
  }
  if (type === 'array') return { type, ...limits(schema), items: structural(items as Json) };
  if (type === undefined) return anything;
  return { type, ...limits(schema) };
}

const anything = { 'x-kubernetes-preserve-unknown-fields': true };

function flat(option: Json): Json[] {
  return option.anyOf === undefined ? [option] : (option.anyOf as Json[]).flatMap(flat);
}

function oneOf(options: readonly Json[]): Json {
  const given = options.filter(({ type }) => type !== 'null');
  const nullable = given.length < options.length ? { nullable: true } : {};
  if (given.length === 1) return { ...structural(given[0]!), ...nullable };
  // What the reader takes as text, however YAML has read it: 512, "512Mi".
  if (given.every(({ type }) => ['string', 'number', 'boolean'].includes(String(type))) && !isEnum(given))
    return { 'x-kubernetes-int-or-string': true, ...nullable };
  return { ...anything, ...nullable };
}

const isEnum = (options: readonly Json[]) => options.some((option) => option.enum !== undefined);

function each(properties: Readonly<Record<string, Json>>): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, structural(one)]));
}

function limits(schema: Json): Json {
  const kept = ['enum', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'];
  return Object.fromEntries(Object.entries(schema).filter(([name]) => kept.includes(name)));
}
