import type { QueryAddress } from '../../api/hostApi.ts';

/** Where one query is answered. */
export interface Place {
  /** The bot's own server, or a container made for it. */
  readonly kind: 'bot' | 'worker';
  readonly address: QueryAddress;
  /** The query is over. */
  release(): void;
}
