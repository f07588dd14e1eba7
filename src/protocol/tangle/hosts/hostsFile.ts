import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { RuntimeError } from '../../../base/errors.ts';
import { parseDocument } from '../../../base/parts/yaml.ts';
import { Secret } from '../../../base/secret.ts';

/** Another machine with a server of sandboxes. */
export interface Member {
  readonly name: string;
  readonly url: string;
  /** One of its own, with the scope `admin`. */
  readonly key: Secret;
  /** Used only when nothing else has room. */
  readonly standby: boolean;
}

export interface HostsFile {
  readonly members: readonly Member[];
  readonly webhook: { readonly url: string; readonly secret: Secret } | undefined;
}

const url = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^/?#]+$/, 'expected http://host:port, without a path'),
  v.check((text) => URL.canParse(text), 'is no address'),
);
const path = v.pipe(v.string(), v.startsWith('/'));
const schema = v.strictObject({
  hosts: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/, 'is no name')),
        url,
        keyFile: path,
        standby: v.optional(v.boolean(), false),
      }),
    ),
    v.maxLength(256),
    v.check((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two have one name'),
  ),
  webhook: v.optional(
    v.strictObject({
      url: v.pipe(
        v.string(),
        v.check((text) => URL.canParse(text) && /^https?:/.test(text), 'expected an address'),
      ),
      secretFile: path,
    }),
  ),
});

/** Throws `config` with every problem. */
export function readHostsFile(file: string): HostsFile {
  const problems: string[] = [];
  const read = (from: string): string => {
    try {
      return readFileSync(from, 'utf8').trim();
    } catch (error) {
      problems.push(`${from} cannot be read: ${(error as Error).message}`);
      return '';
    }
  };
  const parsed = v.safeParse(schema, parseDocument(read(file)).toJS() ?? {}, { abortPipeEarly: true });
  for (const issue of parsed.issues ?? [])
    problems.push(`${v.getDotPath(issue) ?? 'hosts'}: ${issue.message}`);
  const { hosts = [], webhook } = parsed.success ? parsed.output : {};
  const members = hosts.map(({ keyFile, ...host }) => ({ ...host, key: new Secret(read(keyFile)) }));
  const hook = webhook && { url: webhook.url, secret: new Secret(read(webhook.secretFile)) };
  if (problems.length > 0)
    throw new RuntimeError('config', `the hosts in ${file} cannot be used`, { path: file, problems });
  return { members, webhook: hook };
}
