import type { Folders } from './folders.ts';
import { readExit } from './readExit.ts';

/** Whether the last instance of a bot says that it ended after a SIGTERM. False where it says nothing. */
export const readStopped = (folders: Folders, bot: string): boolean =>
  readExit(folders.bot(bot))?.stopped === true;
