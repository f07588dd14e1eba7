import { RpcError } from './rpcError.ts';
import type { Session } from './session.ts';

/** Sessions that have ended are remembered, so that why can be asked; of very many the oldest go. */
const MOST_ENDED = 512;

/** Every session of this life of the provider, in memory: gestaltd asks for one at each call of a host service. */
export class Sessions {
  readonly #byId = new Map<string, Session>();
  #count = 0;

  nextNumber(): number {
    this.#count += 1;
    return this.#count;
  }

  add(session: Session): void {
    this.#byId.set(session.id, session);
    const ended = [...this.#byId.values()].filter(({ ended }) => ended.signal.aborted);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MOST_ENDED))) this.#byId.delete(id);
  }

  /** Throws NOT_FOUND. */
  get(id: string): Session {
    const session = this.#byId.get(id);
    if (session === undefined) throw new RpcError('NOT_FOUND', `there is no session ${JSON.stringify(id)}`);
    return session;
  }

  find(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  all(): Session[] {
    return [...this.#byId.values()];
  }
}
