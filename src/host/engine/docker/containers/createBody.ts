import type { Resources } from '../../../bots/botSpec.ts';
import type { InstanceSpec, Mount } from '../../engine.ts';
import { labelsOf } from './labels.ts';

/** Where an instance is attached. */
export interface Place {
  readonly network: string;
  /** Name → address, for the instance's own `/etc/hosts`. */
  readonly names: Readonly<Record<string, string>>;
  /** Where the engine sends its questions for other names; undefined: where this machine's go. */
  readonly resolvers: readonly string[] | undefined;
}

/** A container's whole output, twice: one file that is written, one that is full. */
const LOG_FILE = '1m';
/** Of a guest, whose output is passed on: what it keeps for a reader that is away for a while. */
const GUEST_LOG_FILE = '16m';
const LOG_FILES = '2';
/** The default of one core. */
const SHARES = 1024;

/**
 * The request that makes a container of an instance. Nothing that a bot could use against others is left in it: no capability, no
 * way to gain one, a root that is read-only, no swap, bounded processes and output. The engine neither restarts nor removes it
 * by itself: the host decides, and reads how it ended. tini is in the image, hence no `Init`. A guest keeps its writable root and
 * what images expect to have.
 */
export function createBody(spec: InstanceSpec, host: string, place: Place): Record<string, unknown> {
  const { resources, user, guest } = spec;
  const secrets = Object.entries(spec.secretEnv).map(([name, secret]) => `${name}=${secret.reveal()}`);
  return {
    Image: spec.image,
    ...(spec.entrypoint && { Entrypoint: spec.entrypoint }),
    ...(spec.command && { Cmd: spec.command }),
    Env: [...Object.entries(spec.env).map(([name, value]) => `${name}=${value}`), ...secrets],
    ...(guest?.directory && { WorkingDir: guest.directory }),
    ...(user && { User: `${user.uid}:${user.gid}` }),
    Labels: labelsOf(spec, host),
    ...(spec.input && { OpenStdin: true, StdinOnce: true }),
    // The host looks by itself: an image's own check would be an exec in each container, every minute.
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    // What an engine that is itself told to end gives it.
    StopTimeout: Math.ceil(spec.stopTimeoutMs / 1000),
    HostConfig: {
      NetworkMode: place.network,
      ExtraHosts: Object.entries({ ...place.names, ...guest?.names }).map(
        ([name, address]) => `${name}:${address}`,
      ),
      ...(place.resolvers && { Dns: place.resolvers }),
      ReadonlyRootfs: guest === undefined,
      CapDrop: guest === undefined ? ['ALL'] : ['NET_RAW', 'MKNOD'],
      SecurityOpt: ['no-new-privileges'],
      ...limitsOf(resources),
      // A core dump is the memory of a process, secrets included.
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
      LogConfig: {
        Type: 'local',
        Config: { 'max-size': guest ? GUEST_LOG_FILE : LOG_FILE, 'max-file': LOG_FILES },
      },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      Init: false,
      IpcMode: 'private',
      Mounts: spec.mounts.filter(({ from }) => from.type === 'folder').map(bindMount),
      Tmpfs: Object.fromEntries(spec.mounts.flatMap((mount) => tmpfs(mount, spec.user))),
    },
  };
}

/** The limits that can also be changed while it runs. */
export function limitsOf(resources: Resources): Record<string, number> {
  return {
    Memory: resources.memoryBytes,
    MemorySwap: resources.memoryBytes,
    PidsLimit: resources.pids,
    CpuShares: Math.max(2, Math.round((resources.cpuMillis * SHARES) / 1000)),
    ...(resources.cpuLimit && { NanoCpus: resources.cpuMillis * 1_000_000 }),
  };
}

function bindMount({ target, readOnly, from }: Mount): Record<string, unknown> {
  return {
    Type: 'bind',
    Source: from.type === 'folder' ? from.path : undefined,
    Target: target,
    ReadOnly: readOnly,
    // What is mounted below it later, on either side, stays there.
    BindOptions: { Propagation: 'rprivate' },
  };
}

function tmpfs({ target, readOnly, from }: Mount, user: InstanceSpec['user']): [string, string][] {
  if (from.type !== 'memory') return [];
  const { uid, gid } = user ?? { uid: 0, gid: 0 };
  const access = readOnly ? 'ro' : 'rw';
  // `exec`: interpreters run what lies there anyway, and compiled libraries unpack themselves to /tmp.
  return [[target, `${access},exec,nosuid,nodev,size=${from.bytes},mode=1777,uid=${uid},gid=${gid}`]];
}
