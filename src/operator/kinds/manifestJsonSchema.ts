import { toJsonSchema } from '@valibot/to-json-schema';
import { manifestSchema, templateNames } from '../../bot/kinds/manifest/schema.ts';

const placeholders = templateNames.map((name) => `{${name}}`).join(', ');

/** What an editor shows of a field; docs/kinds.md says more. */
const descriptions: Readonly<Record<keyof typeof manifestSchema.entries, string>> = {
  id: 'What RUNTIME names.',
  aliases: 'Other names.',
  displayName: 'Its name for people.',
  description: 'What it runs, for people.',
  status: 'An experimental kind needs ALLOW_EXPERIMENTAL=true.',
  footprint: 'What it costs in the image and at rest.',
  argv: `The program, looked up in PATH, and its arguments; ${placeholders} are replaced.`,
  wrap: `Words before argv; ${placeholders} are replaced.`,
  env: `Added to the bot's environment; ${placeholders} are replaced.`,
  cwd: `Working directory; ${placeholders} are replaced.`,
  entrypoint:
    'file: checked to be inside the code path; text: anything; none: the bot names none. Default: none for an agent whose words have no {entrypoint}, else file.',
  executable: 'The file is made executable, and checked to be one that the system can run.',
  stopSeconds: 'How long it takes to stop in good order.',
  agent: 'How the agent that it runs is spoken to; docs/agents.md.',
  sources: 'Files beside the manifest that it needs; a lock has to name them.',
};

/** The JSON schema of a manifest. What a pattern cannot say (which placeholders there are) is checked when it is loaded. */
export function manifestJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = toJsonSchema(manifestSchema, { typeMode: 'input', errorMode: 'ignore' });
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => [
    name,
    { description: descriptions[name as keyof typeof descriptions], ...(property as object) },
  ]);
  return { ...schema, title: 'A kind of bots', properties: Object.fromEntries(properties) };
}
