import type { Sandbox } from '../../../host/sandboxes/sandboxes.ts';
import type { Tool } from './sidecarToken.ts';

/** What a key may be allowed: docs/sandboxes.md, "Keys". */
export const SCOPES = ['read', 'write', 'runtime', 'sessions', 'secrets', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Whoever holds a key. */
export interface Caller {
  /** Of the key: `NewSandbox.owner`. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Of a sandbox's token: these alone. */
  readonly tools?: readonly Tool[];
  /** Of another server that asks for him: the key that it holds here. */
  readonly by?: string;
  /** Another server of sandboxes has sent it on, and has shown its key: it is answered here, and no other is asked. */
  readonly isSentOn?: true;
}

/** `admin` is all of them. */
export function allows({ scopes }: Caller, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}

/** To whom it does not belong, it does not exist. */
export function owns(caller: Caller, { owner }: Pick<Sandbox, 'owner'>): boolean {
  return owner === caller.name || caller.scopes.has('admin');
}
