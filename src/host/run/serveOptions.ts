import type { Invocation, OptionSpec } from '../../base/command/command.ts';
import { Secret } from '../../base/secret.ts';
import { durationOrZero } from '../../bot/config/duration.ts';
import { integer, oneOf } from '../../bot/config/parser.ts';
import { absolutePath, anyText } from '../../bot/config/parsers.ts';
import { readSettings, setting, settingSpecs, type Values } from './settings.ts';

/** The settings of `runtime serve`; documented in docs/sandboxes.md. */
export const serveSettings = {
  listen: setting(
    'RUNTIME_SERVE_LISTEN',
    oneOf('all', 'this-machine'),
    'this-machine',
    'whom the server listens for',
  ),
  port: setting('RUNTIME_SERVE_PORT', integer(0, 65_535), '9480', 'its port; 0: any that is free'),
  url: setting(
    'RUNTIME_SERVE_URL',
    anyText,
    '',
    'where clients reach it, where a proxy stands before it: https://sandboxes.example',
  ),
  data: setting(
    'RUNTIME_SERVE_DATA',
    absolutePath,
    '/var/lib/runtime-serve',
    'what outlives the server: records, disks that run, journal, and the store where none is named',
  ),
  socket: setting(
    'RUNTIME_SERVE_SOCKET',
    absolutePath,
    '/run/runtime/serve.sock',
    "the operator's socket, for `runtime bots --socket`",
  ),
  image: setting('RUNTIME_IMAGE', anyText, 'runtime:universal', 'the image of sandboxes that name none'),
  network: setting(
    'DOCKER_NETWORK',
    anyText,
    '',
    'a network of the engine instead of closed ones of our own: then no egress is held',
  ),
  policy: setting(
    'RUNTIME_SERVE_POLICY',
    anyText,
    '',
    'a file that says what sandboxes may be: docs/sandboxes.md',
  ),
  hosts: setting(
    'RUNTIME_SERVE_HOSTS',
    anyText,
    '',
    'a file of other hosts that sandboxes are placed on: docs/sandboxes.md',
  ),
  'cpu-cores': setting(
    'RUNTIME_SERVE_CPU_CORES',
    integer(0, 1_000_000),
    '0',
    'cores that all sandboxes may have together; 0: 16 times those of the machine',
  ),
  'memory-mb': setting(
    'RUNTIME_SERVE_MEMORY_MB',
    integer(0, 1_000_000_000),
    '0',
    'memory that all may have together; 0: 3 times that of the machine, and none is started when it is full',
  ),
  'disk-gb': setting(
    'RUNTIME_SERVE_DISK_GB',
    integer(0, 10_000_000),
    '0',
    'disk that all may have together; 0: twice the one of the data folder, and none is started when it is full',
  ),
  disks: setting(
    'RUNTIME_SERVE_DISKS',
    oneOf('auto', 'own', 'watched'),
    'auto',
    'own: each disk is a file system that ends at its limit, mounted by a loop device; watched: folders that are looked at; auto: own where that can be',
  ),
  sandboxes: setting(
    'RUNTIME_SERVE_SANDBOXES',
    integer(0, 100_000),
    '1000',
    'how many there may be at the same time',
  ),
  'start-slots': setting(
    'RUNTIME_SERVE_START_SLOTS',
    integer(0, 64),
    '0',
    'starts at the same time; 0: as many as cores, 2 to 8',
  ),
  'store-port': setting(
    'RUNTIME_SERVE_STORE_PORT',
    integer(0, 65_535),
    '9481',
    'where sandboxes reach the store, where it is a folder of this machine; always the same one for a data folder',
  ),
  'keep-deleted': setting(
    'RUNTIME_SERVE_KEEP_DELETED',
    durationOrZero,
    '24h',
    'how long the disk of a sandbox that was deleted, or has expired, is kept',
  ),
} as const;

export type ServeOptions = Values<typeof serveSettings> & {
  /** RUNTIME_SERVE_KEY: may do everything. */
  readonly key: Secret | undefined;
  /** RUNTIME_SERVE_POOL_KEY: the same on all hosts that share a store. */
  readonly poolKey: Secret | undefined;
};

export const serveOptionSpecs = (): Record<string, OptionSpec> => settingSpecs(serveSettings);

/** Throws `config`. */
export function readServeOptions(given: Pick<Invocation, 'flags' | 'env'>): ServeOptions {
  const { RUNTIME_SERVE_KEY: key, RUNTIME_SERVE_POOL_KEY: poolKey } = given.env;
  return {
    ...readSettings(serveSettings, given, 'the server'),
    key: key ? new Secret(key) : undefined,
    poolKey: poolKey ? new Secret(poolKey) : undefined,
  };
}
