import type { OptionSpec } from '../../base/command/command.ts';
import { flag } from './parsers.ts';
import { flagOf, type VariableName, variables } from './variables.ts';

/** A flag for every variable of the configuration but the secrets: `--sync-interval` for `SYNC_INTERVAL`. */
export function configOptions(): Record<string, OptionSpec> {
  const options: Record<string, OptionSpec> = {};
  for (const name of Object.keys(variables) as VariableName[]) {
    const option = flagOf(name);
    if (option === undefined) continue;
    const variable = variables[name];
    const usual = variable.default === undefined ? '' : ` (${variable.default})`;
    options[option] = {
      type: variable.parser === flag ? 'boolean' : 'string',
      description: `${name}: ${variable.meaning}${usual}`,
    };
  }
  return options;
}
