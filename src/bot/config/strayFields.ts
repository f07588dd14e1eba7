import { suggest } from '../../base/suggest.ts';
import { botFields } from './botFields.ts';

/** A field of a mapping, and the line that it begins on. */
export interface Field {
  readonly name: string;
  readonly line: number;
}

/** What is to be told of the fields of `file`, a `bot.yaml`, and of its `entrypoints`, that nobody knows, or that count on a host only. */
export function strayFields(
  file: string,
  { fields, entrypoints }: { readonly fields: readonly Field[]; readonly entrypoints: readonly Field[] },
): readonly string[] {
  const known = [...botFields.read, ...botFields.host, ...botFields.others];
  return [
    ...fields.flatMap(({ name, line }) => unknown(`${file}:${line}`, name, name, known)),
    ...entrypoints.flatMap(({ name, line }) =>
      unknown(`${file}:${line}`, `entrypoints.${name}`, name, botFields.entrypoints),
    ),
    ...fields.flatMap(({ name, line }) => {
      const instead = { config: 'config.json', env: '--env-file' }[name];
      return instead === undefined
        ? []
        : [`${file}:${line}: ${name} counts on a host only; in place it is ${instead}`];
    }),
  ];
}

function unknown(at: string, shown: string, name: string, known: readonly string[]): readonly string[] {
  if (known.includes(name)) return [];
  const meant = suggest(name, known);
  const question = meant === undefined ? '' : `; did you mean ${meant}?`;
  return [
    `${at}: the unknown field ${JSON.stringify(shown)} is left alone here, and a host refuses it${question}`,
  ];
}
