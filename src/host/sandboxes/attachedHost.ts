import type { Duplex } from 'node:stream';
import type { HostApi } from '../api/hostApi.ts';
import type { Engine } from '../engine/engine.ts';

export interface AttachedHost {
  readonly api: HostApi;
  /** Its name, for clients. */
  readonly name: string;
  readonly dial: (address: string, port: number, signal: AbortSignal) => Promise<Duplex>;
  readonly engine: Pick<Engine, 'wake'>;
}
