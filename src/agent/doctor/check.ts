import type { CheckOf } from '../../base/runChecks.ts';
import type { Config } from '../../bot/config/config.ts';
import type { Kind } from '../../bot/kinds/kind.ts';
import type { Stores } from '../../store/openStores.ts';

/** What is looked at. */
export interface Patient {
  readonly config: Config;
  readonly kind: Kind;
  /** The environment that the configuration was read from. */
  readonly env: Readonly<Record<string, string>>;
  /** Stores that do not retry. */
  readonly stores: Stores;
  readonly uid: number;
  /** It is a bot in a folder, which a person runs there: no container, whoever started it is the bot's user. */
  readonly inPlace: boolean;
  readonly now: () => number;
}

export type Check = CheckOf<Patient>;
