import { BLOCK } from './blocks.ts';

/** Names are bytes, as the archive is to have them. */
export interface TarHeader {
  readonly type: 'file' | 'directory' | 'symlink';
  /** Of a directory without a slash at its end. */
  readonly name: Buffer;
  /** What a symlink points to. */
  readonly linkname?: Buffer | undefined;
  /** Permission bits. */
  readonly mode: number;
  /** Microseconds since the epoch. */
  readonly mtime: number;
  /** Of a file, bytes. */
  readonly size: number;
  /** Root, where nothing is said. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

const types = { file: '0', directory: '5', symlink: '2' } as const;
const PAX = 'x';
const NAME_BYTES = 100;
/** What eleven octal digits hold, and what seven do. */
const DIGITS = 8 ** 11;
const ID_DIGITS = 8 ** 7;
const ROOT = { uid: 0, gid: 0 };
const SECOND = 1_000_000;

/** Two blocks of zeros: the end of an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

/** Zeros up to the next whole block. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/**
 * What stands before an entry in a tar that GNU tar, Python and Go read alike: a ustar header, and before it a pax header where
 * that cannot hold the name, the time or the size. Names that are not UTF-8 stay the bytes that they are, in pax headers too:
 * those three take them so, and `hdrcharset=BINARY` would only make GNU tar warn.
 */
export function tarHeader(entry: TarHeader): Buffer {
  const { type, mode, mtime, size, linkname = Buffer.alloc(0), owner = ROOT } = entry;
  const name = type === 'directory' ? Buffer.concat([entry.name, Buffer.from('/')]) : entry.name;
  const records: Buffer[] = [];
  if (name.length > NAME_BYTES) records.push(record('path', name));
  if (linkname.length > NAME_BYTES) records.push(record('linkpath', linkname));
  const seconds = mtime / SECOND;
  const fits = Number.isInteger(seconds) && seconds >= 0 && seconds < DIGITS;
  if (!fits) records.push(record('mtime', decimal(mtime)));
  if (size >= DIGITS) records.push(record('size', `${size}`));
  for (const id of ['uid', 'gid'] as const)
    if (owner[id] >= ID_DIGITS) records.push(record(id, `${owner[id]}`));

  const time = Math.min(DIGITS - 1, Math.max(0, Math.floor(seconds)));
  const fields = { linkname, mode, time, owner, size: size < DIGITS ? size : 0 };
  const own = block(types[type], { ...fields, name });
  if (records.length === 0) return own;
  const pax = Buffer.concat(records);
  const before = block(PAX, {
    name: Buffer.concat([Buffer.from('PaxHeaders/'), name]),
    linkname: Buffer.alloc(0),
    mode: 0o644,
    time,
    owner: ROOT,
    size: pax.length,
  });
  return Buffer.concat([before, pax, tarPadding(pax.length), own]);
}

interface Fields {
  readonly name: Buffer;
  readonly linkname: Buffer;
  readonly mode: number;
  /** Seconds. */
  readonly time: number;
  readonly owner: NonNullable<TarHeader['owner']>;
  readonly size: number;
}

function block(type: string, { name, linkname, mode, time, owner, size }: Fields): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  const octal = (at: number, digits: number, value: number) =>
    bytes.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  name.copy(bytes, 0, 0, NAME_BYTES);
  octal(100, 7, mode);
  octal(108, 7, owner.uid < ID_DIGITS ? owner.uid : 0);
  octal(116, 7, owner.gid < ID_DIGITS ? owner.gid : 0);
  octal(124, 11, size);
  octal(136, 11, time);
  bytes.write(type, 156, 'latin1');
  linkname.copy(bytes, 157, 0, NAME_BYTES);
  bytes.write('ustar\x0000', 257, 'latin1');
  octal(329, 7, 0);
  octal(337, 7, 0);
  // Its own place counts as spaces.
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** `length key=value\n`, where the length counts its own digits. */
function record(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length;
  return Buffer.concat([Buffer.from(`${length}`), rest]);
}

/** Seconds, of microseconds. */
function decimal(micros: number): string {
  const whole = Math.trunc(micros / SECOND);
  const part = Math.abs(micros % SECOND);
  const fraction = part === 0 ? '' : `.${String(part).padStart(6, '0').replace(/0+$/, '')}`;
  return `${micros < 0 && whole === 0 ? '-' : ''}${whole}${fraction}`;
}
