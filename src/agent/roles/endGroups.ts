import { systemClock } from '../../base/clock.ts';
import type { Command } from '../../base/command/command.ts';
import { RuntimeError } from '../../base/errors.ts';
import { endGroups as end } from '../process/endGroups.ts';

/** What a guard becomes when its supervisor has died (src/agent/supervisor/guard/guard.ts). */
export const endGroups: Command = {
  name: 'end-groups',
  summary: 'end process groups with all their descendants',
  positionals: 'GROUP…',
  options: {},
  run: async ({ positionals }) => {
    const groups = positionals.map(Number);
    // 1 would be every process there is.
    if (!groups.every((group) => Number.isSafeInteger(group) && group > 1)) {
      throw new RuntimeError('usage', `${positionals.join(' ')} are not process groups`);
    }
    await end(groups, systemClock);
    return 0;
  },
};
