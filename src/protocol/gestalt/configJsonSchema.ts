import { toJsonSchema } from '@valibot/to-json-schema';
import { providerConfigSchema } from './providerConfig.ts';

/** What gestaltd checks an operator's `config` against, when it locks and validates: before it starts anything. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    ...toJsonSchema(providerConfigSchema, { typeMode: 'input', errorMode: 'ignore' }),
    title: 'runtime',
  };
}
