/** A `google.protobuf.Struct`, as the codec decodes it, as a plain object. Numbers are doubles there; an unset value is null. */
export function structToObject(struct: unknown): Record<string, unknown> {
  const { fields = {} } = (struct ?? {}) as { fields?: Record<string, unknown> };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toValue(value)]));
}

function toValue(value: unknown): unknown {
  const given = (value ?? {}) as Record<string, unknown>;
  if ('structValue' in given && given.structValue !== null) return structToObject(given.structValue);
  if ('listValue' in given && given.listValue !== null) {
    return ((given.listValue as { values?: unknown[] }).values ?? []).map(toValue);
  }
  for (const kind of ['stringValue', 'numberValue', 'boolValue'] as const) {
    if (kind in given && given[kind] !== null) return given[kind];
  }
  return null;
}
