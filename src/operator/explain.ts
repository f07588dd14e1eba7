import type { Explain } from '../base/command/explain.ts';
import { commandHelp, groupHelp } from './help.ts';
import { unknownCommand, wrongFlag, wrongPositionals } from './usageError.ts';

export const explain: Explain = { groupHelp, commandHelp, unknownCommand, wrongFlag, wrongPositionals };
