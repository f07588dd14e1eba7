import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { botDefinition, specSchema } from '../../../scripts/deploy.d/botDefinition.ts';
import { generatedDefinitions } from '../../../scripts/deploy.d/generated.ts';
import { structural } from '../../../scripts/deploy.d/structural.ts';
import { botSchema } from '../../../src/host/bots/schema.ts';

type Json = Record<string, unknown>;

test('deploy/ has the definition of Bot that the schema of a bot makes (scripts/deploy writes it)', () => {
  for (const { path, text } of generatedDefinitions()) expect(readFileSync(path, 'utf8'), path).toBe(text);
});

test('the cluster takes every field of a bot, and no other', () => {
  const { properties } = specSchema() as { properties: Json };
  expect(Object.keys(properties).sort()).toEqual(Object.keys(botSchema.entries).sort());
});

test('every value is of one type, or left to the reader: what Kubernetes calls structural', () => {
  const { spec } = botDefinition() as { spec: { versions: { schema: { openAPIV3Schema: Json } }[] } };
  const open: string[] = [];
  const visit = (schema: Json, path: string): void => {
    const free =
      schema['x-kubernetes-preserve-unknown-fields'] === true ||
      schema['x-kubernetes-int-or-string'] === true;
    if (schema.type === undefined && !free) open.push(path);
    expect(schema, path).not.toHaveProperty('anyOf');
    for (const [name, one] of Object.entries((schema.properties ?? {}) as Record<string, Json>))
      visit(one, `${path}.${name}`);
    for (const name of ['items', 'additionalProperties'])
      if (typeof schema[name] === 'object') visit(schema[name] as Json, `${path}.${name}`);
  };
  visit(spec.versions[0]!.schema.openAPIV3Schema, 'Bot');
  expect(open).toEqual([]);
});

test('structural: text that YAML reads as a number, a choice or nothing, one of two shapes', () => {
  const scalar = { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] };
  expect(structural(scalar)).toEqual({ 'x-kubernetes-int-or-string': true });
  expect(structural({ anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] })).toEqual({
    type: 'string',
    enum: ['a'],
    nullable: true,
  });
  expect(
    structural({
      anyOf: [
        { enum: ['none'], type: 'string' },
        { type: 'array', items: scalar },
      ],
    }),
  ).toEqual({ 'x-kubernetes-preserve-unknown-fields': true });
  expect(structural({ type: 'object', additionalProperties: scalar })).toEqual({
    type: 'object',
    additionalProperties: { 'x-kubernetes-int-or-string': true },
  });
});
