import type { BotSpec } from '../bots/botSpec.ts';
import type { Recorded } from './recorded.ts';

/** What is recorded of every bot, durable before `put` resolves. */
export interface Records {
  get(bot: string): Recorded;
  put(bot: string, recorded: Recorded): Promise<void>;
  /** Holds `spec` in place of what is recorded and says the same: of ten thousand bots, each is in memory once. */
  share(bot: string, spec: BotSpec): void;
  /** The bot's folder goes to the trash. */
  forget(bot: string): Promise<void>;
  /** Of every bot that has a folder. */
  bots(): readonly string[];
}
