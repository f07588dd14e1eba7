import type { Task } from '../config/task.ts';
import type { AgentEndpoint, AgentSpec } from './agentSpec.ts';

/**
 * The room of the kinds: how a bot in some language is started, as data. Nothing in here starts a process.
 *
 *   kind          the interface: `launch` says what to run, `verify` checks that it is there
 *   builtIn       the kinds of the image (python/, node/, command/, task/ and one file for each compiled language)
 *   manifest/     kinds that an operator adds: one YAML file each, checked, and locked by checksums if he wants
 *   registry      all of them, by name and alias
 *   middleware    what stands around every launch: experimental kinds need permission, `WRAP` comes before the command
 *   botEnv        the environment of a bot's programs, made afresh and without credentials
 *   control       what a launcher reads from descriptor 3 before bot code runs
 *   catalog       the kinds as `runtime kinds` prints them
 *
 * Launchers are files in their own language beside the kind that uses them.
 */

/**
 * A kind of runtime: how bots of one sort are launched. A kind knows nothing of processes; it says what to run,
 * and the supervisor (or the query server) runs it.
 */
export interface Kind {
  /** `python3.11` */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly displayName: string;
  readonly description: string;
  /** An experimental kind needs `ALLOW_EXPERIMENTAL=true`. */
  readonly status: 'stable' | 'experimental';
  /** What it costs to have: `python3.11: 45 MB in the image, 9 MiB at rest`. */
  readonly footprint: string;
  /** Where it is defined: files of this repository, or the manifest's path. */
  readonly source: readonly string[];
  /** What an entrypoint is: a path relative to the code path, or a command, a name or a program's text; `none`: it has none. */
  readonly entrypoint: 'file' | 'text' | 'none';
  /**
   * Whether its interpreter can be started before the code is there: it then loads, and waits for the line `go`
   * on file descriptor 3 before it touches the code path (see `Launch.control`).
   */
  readonly startsEarly: boolean;
  /** Set: what it runs answers messages, and is spoken to like this. */
  readonly agent?: AgentSpec;
  /** How long it takes to stop in good order after SIGTERM, where that is known. */
  readonly stopSeconds?: number;
  /** Whether its programs can have a `message` entrypoint. */
  readonly answersMessages?: boolean;
  /** What to run. Pure: touches no file. Throws `config` (78) for what the request can never satisfy. */
  launch(request: LaunchRequest): Promise<Launch>;
  /**
   * Called once the code is in place, before the bot may run: the entrypoint exists inside the code path
   * (`no-entrypoint`, 127) and can be run (`not-executable`, 126; compiled kinds are made executable here).
   */
  verify(request: LaunchRequest): Promise<void>;
}

export interface LaunchRequest {
  readonly role: 'bot' | 'query';
  /** The entrypoint answers messages: its launcher keeps descriptor 3. */
  readonly answersMessages?: boolean;
  readonly botId: string;
  /** JSON text. */
  readonly botConfig: string;
  readonly botType: 'realtime' | 'scheduled';
  /** Relative to `codePath` for kinds whose entrypoint is a file. */
  readonly entrypoint: string;
  /** Absolute. */
  readonly codePath: string;
  readonly stateDir: string;
  readonly task: Task;
  /** Of an agent that is asked on a port. */
  readonly endpoint?: AgentEndpoint;
  /** It will not be launched: `verify` changes nothing, and does not look whether a compiled program can be run. */
  readonly dryRun?: boolean;
}

export interface Launch {
  /** `argv[0]` is looked up in `PATH` when it has no slash. */
  readonly argv: readonly string[];
  /** How many words of `argv` stand in front of the kind's own command; undefined: none. */
  readonly wrapped?: number;
  /** What the kind adds to the bot's environment: `PYTHONPATH`. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /**
   * Text for file descriptor 3 (a socket), or undefined where the program has none. It is written as soon as the
   * process runs; the line `go\n` follows when the code is there. The program may answer with one JSON line
   * `{"code":"config","message":…}` on it when it refuses to run the bot, and closes it before bot code runs.
   */
  readonly control: string | undefined;
  /**
   * How turns reach an agent: over descriptor 3, which the launcher then keeps open, or over stdin and stdout, which then is no
   * log. Undefined: neither, because it is no agent or has a port.
   */
  readonly channel?: 'control' | 'stdio';
}
