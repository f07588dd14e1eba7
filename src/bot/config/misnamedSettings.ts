import { readdirSync } from 'node:fs';

/** What to say of a file in `directory` that looks like a `bot.yaml` and is not read as one; undefined where there is none. */
export function misnamedSettings(directory: string): string | undefined {
  const name = readdirSync(directory).find((name) => /^bot([-_]config)?\.(ya?ml|json)$/i.test(name));
  return name === undefined ? undefined : `${name} is not read: name it bot.yaml`;
}
