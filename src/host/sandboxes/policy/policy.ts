import type { Egress } from '../../bots/botSpec.ts';

/**
 * The room of what sandboxes may be: `readPolicy` reads the file, `followPolicy` follows its changes, `evaluate` says what is wrong with
 * a request, before anything of it is done.
 */

/** What each key may have. */
export interface Policy {
  /** The rules for this key. */
  rulesOf(key: string): Rules;
}

/** Sizes are bytes, times milliseconds. Patterns are names in which `*` stands for anything. */
export interface Rules {
  /** Parts of a sandbox's API. */
  readonly tools: readonly string[];
  /** The widest: what is asked for must lie within it. */
  readonly egress: Egress;
  /** Folders that files may be read and written in, through the API; undefined: all. */
  readonly files: readonly string[] | undefined;
  /** Patterns of names of secrets. */
  readonly secrets: readonly string[];
  /** What may run a sandbox: engines. */
  readonly providers: readonly string[];
  /** Patterns of images, besides the host's own. */
  readonly images: readonly string[];
  /** Patterns of kinds that an agent may be of. */
  readonly agents: readonly string[];
  /** Patterns of keys in the code bucket that its code may be. */
  readonly code: readonly string[];
  readonly resources: {
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly diskBytes: number;
    readonly lifetimeMs: number;
    readonly idleMs: number;
    /** At the same time, those that are stopped too. */
    readonly sandboxes: number;
  };
  /** Calls of one key per minute: what reads, what changes something, what goes inside of a sandbox. */
  readonly rates: { readonly reads: number; readonly writes: number; readonly calls: number };
}

/** What is asked for, as far as a policy has a word in it. Undefined: it is left to the policy. */
export interface PolicyRequest {
  readonly tools: readonly string[] | undefined;
  readonly egress: Egress | undefined;
  /** What of its network nobody could enforce, in words. */
  readonly unenforceable: readonly string[];
  /** Paths. */
  readonly files: readonly string[];
  readonly secrets: readonly string[];
  readonly provider: string | undefined;
  readonly image: string | undefined;
  readonly agent: string | undefined;
  /** The key of its agent's code. */
  readonly code: string | undefined;
  readonly cpuMillis: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly diskBytes: number | undefined;
  readonly lifetimeMs: number | undefined;
  readonly idleMs: number | undefined;
}

/** Nothing is asked for. */
export const emptyRequest: PolicyRequest = {
  tools: undefined,
  egress: undefined,
  unenforceable: [],
  files: [],
  secrets: [],
  provider: undefined,
  image: undefined,
  agent: undefined,
  code: undefined,
  cpuMillis: undefined,
  memoryBytes: undefined,
  diskBytes: undefined,
  lifetimeMs: undefined,
  idleMs: undefined,
};

export interface Violation {
  readonly rule: 'tools' | 'domains' | 'files' | 'secrets' | 'resources' | 'provider' | 'image' | 'code';
  /** One sentence: what was asked for, and what is allowed. */
  readonly message: string;
  readonly asked: string | number;
  readonly allowed: unknown;
}

/** All that there are. */
export const TOOLS = ['exec', 'files', 'process', 'terminal', 'ports', 'search', 'agent'] as const;
export const PROVIDERS = ['docker', 'kubernetes', 'host-agent'] as const;

const GIB = 2 ** 30;
const HOUR = 3_600_000;

/** Where no file says otherwise. */
export const usualRules: Rules = {
  tools: TOOLS,
  egress: 'internet',
  files: undefined,
  secrets: ['*'],
  providers: PROVIDERS,
  images: [],
  agents: ['*'],
  code: ['*'],
  resources: {
    cpuMillis: 4000,
    memoryBytes: 8 * GIB,
    diskBytes: 20 * GIB,
    lifetimeMs: 48 * HOUR,
    idleMs: 2 * HOUR,
    sandboxes: 100,
  },
  rates: { reads: 12_000, writes: 1200, calls: 12_000 },
};
