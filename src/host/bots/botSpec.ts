/**
 * The room of a bot's specification: `schema` is the file's shape, `readSpec` reads and checks it and fills in defaults, `writeSpec`
 * writes one that reads the same, `names` makes the names of its instances.
 */

/**
 * A bot as a host wants it: what its `bot.yaml` says, read, checked, every default filled in. Sizes are bytes, times are
 * milliseconds. Two specifications that mean the same are equal: nothing here depends on how the file was written.
 */
export interface BotSpec {
  /** BOT_ID: `[A-Za-z0-9._-]{1,128}`. */
  readonly name: string;
  readonly type: 'realtime' | 'scheduled';
  /** Id of a runtime kind. */
  readonly runtime: string;
  readonly code: CodeRef;
  readonly entrypoints: {
    /** Empty: its kind needs none. */
    readonly bot: string;
    readonly query: string | undefined;
    /** Absent: it answers no messages, or its kind says how. */
    readonly message?: string;
  };
  /** Its kind is one of agents. */
  readonly agent?: true;
  /** It is a sandbox: what it is made of never changes while it runs. `image` undefined: the host's own. */
  readonly sandbox?: { readonly image: string | undefined };
  /** The bot's configuration, JSON text. */
  readonly config: string;
  /** The task, JSON text. */
  readonly task: string | undefined;
  readonly enabled: boolean;
  /** Set for scheduled bots alone. */
  readonly schedule: ScheduleSpec | undefined;
  readonly resources: Resources;
  readonly restart: RestartPolicy;
  readonly stopTimeoutMs: number;
  readonly egress: Egress;
  /** Names of files or folders in the host's folder of secrets, seen below `/run/secrets`. */
  readonly secrets: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A code archive in the code bucket. Sources that take a folder have packed and uploaded it. */
export interface CodeRef {
  /** Key in the code bucket. */
  readonly file: string;
  /** Lower-case hex; undefined: whatever lies under the key, looked at anew whenever its ETag changes. */
  readonly sha256: string | undefined;
}

export interface ScheduleSpec {
  /** As written, known to parse and to fire: see `host/schedule`. */
  readonly cron: string;
  /** IANA name; a `CRON_TZ=` in `cron` has already been taken over. */
  readonly timeZone: string;
  readonly missed: 'once' | 'all' | 'skip';
  /** How late a run may begin; undefined: one period, 24 h at most. */
  readonly withinMs: number | undefined;
  readonly overlap: 'skip' | 'queue' | 'replace';
  /** The run begins hash(name) mod this later than its cron time. */
  readonly spreadMs: number;
  /** A run is stopped when it takes longer; undefined: never. */
  readonly deadlineMs: number | undefined;
}

export interface Resources {
  readonly memoryBytes: number;
  /** Thousandths of a core: what it gets when others want it too. */
  readonly cpuMillis: number;
  /** `cpuMillis` is a ceiling as well. */
  readonly cpuLimit: boolean;
  readonly pids: number;
  readonly diskBytes: number;
}

export interface RestartPolicy {
  readonly policy: 'always' | 'on-failure' | 'never';
  readonly firstMs: number;
  readonly longestMs: number;
  /** An instance that ran this long has had no failures before. */
  readonly resetMs: number;
}

/** Whom a bot may talk to besides the store: nobody, everybody outside the private ranges, or these networks. */
export type Egress = 'none' | 'internet' | readonly string[];
