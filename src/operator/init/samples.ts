import { join } from 'node:path';
import { type Example, readExamples } from './readExamples.ts';

declare const RUNTIME_EXAMPLES: Readonly<Record<string, Example>> | undefined;

/** Which of `examples/` a new bot of each built-in kind begins as. */
export const samples: Readonly<Record<string, string>> = {
  'python3.11': 'python-counter',
  nodejs20: 'node-counter',
  'rust-stable': 'rust-counter',
  gcc13: 'cpp-counter',
  dotnet8: 'dotnet-counter',
  scala3: 'scala-counter',
  ghc96: 'haskell-counter',
  command: 'command-counter',
  'python-function': 'function-counter',
  'python-code': 'code-counter',
};

/** The same for bots that answer messages. */
export const agentSamples: Readonly<Record<string, string>> = {
  'python3.11': 'python-agent',
  nodejs20: 'node-agent',
};

/** Which of `from` it is that a kind of this id or alias begins as; undefined: none. */
export async function sampleOf(
  kind: string,
  from: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (Object.hasOwn(from, kind)) return from[kind];
  const { builtInKinds } = await import('../../bot/kinds/builtIn.ts');
  const id = builtInKinds.find(({ aliases }) => aliases.includes(kind))?.id;
  return id === undefined ? undefined : from[id];
}

/** The files of one of them; `scripts/build` bakes all of them in. */
export function sampleFiles(name: string): Example {
  const baked =
    typeof RUNTIME_EXAMPLES === 'object'
      ? RUNTIME_EXAMPLES
      : readExamples(join(import.meta.dirname, '../../../examples'), [name]);
  return baked[name]!;
}
