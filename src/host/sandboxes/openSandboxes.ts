import { Secret } from '../../base/secret.ts';
import type { BotSpec } from '../bots/botSpec.ts';
import type { SecretEnv } from '../credentials/credentials.ts';
import type { Entry, Source } from '../sources/source.ts';
import type { AttachedHost } from './attachedHost.ts';
import { makeBoxTokens } from './boxTokens.ts';
import { type KeptSandboxes, keepSandboxes } from './keepSandboxes.ts';
import type { SandboxRecord } from './record.ts';
import type { SandboxesOptions } from './sandboxesOptions.ts';
import { createSandboxSource } from './sandboxSource.ts';
import { settleRecords } from './shared/settleRecords.ts';
import { specOf } from './specOf.ts';

export interface OpenSandboxes {
  /** Where the host reads what it has to run. */
  readonly source: Source;
  /** What a sandbox is given besides its specification. */
  readonly secretEnv: (spec: BotSpec) => SecretEnv;
  /** Bytes of its disk; undefined: there is no such sandbox. */
  readonly diskOf: (id: string) => number | undefined;
  /** Once the host stands. */
  attach(host: AttachedHost): KeptSandboxes;
}

/**
 * Sandboxes as they were written down. Everything that is asked of one is on the disk before it is acted upon, so a server that is
 * killed goes on where it was: what runs is found again by the host's loop, what was to be stopped or taken away still is.
 */
export async function openSandboxes(options: SandboxesOptions): Promise<OpenSandboxes> {
  const found = await settleRecords({ ...options, claims: options.claims });
  const records = new Map(found.records.map((record) => [record.id, record]));
  const entryOf = (record: SandboxRecord): Entry => ({
    spec: specOf(record, options.box),
    origin: `sandbox ${record.id}`,
  });
  const wanted = found.records.filter((record) => record.wanted !== 'gone' && !record.toFork);
  const gone = found.records.filter((record) => record.wanted === 'gone');
  const source = createSandboxSource(
    'sandboxes',
    new Map(wanted.map((record) => [record.id, entryOf(record)])),
    [...gone.map(({ id }) => id), ...found.elsewhere],
  );

  return {
    source: source.source,
    secretEnv: ({ name }) => {
      const record = records.get(name);
      if (record === undefined) return {};
      const { box, publish } = makeBoxTokens(options.tokenKey, name);
      const given = Object.entries(record.secretEnv).map(([key, text]) => [key, new Secret(text)]);
      return { ...Object.fromEntries(given), BOX_TOKEN: box, PUBLISH_TOKEN: publish };
    },
    diskOf: (id) => records.get(id)?.resources.diskBytes,
    attach: (host) => keepSandboxes({ ...options, records, source, entryOf, host }),
  };
}
