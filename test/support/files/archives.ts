import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a zip, every field of which a test can make lie. */
export interface ZipItem {
  readonly name: string | Buffer;
  readonly data?: string | Uint8Array;
  /** Unix mode with its type: 0o120777 is a symlink. Default: 0o100644, or 0o040755 for a name that ends in `/`. */
  readonly mode?: number;
  /** Who made it: 3 is Unix, 0 DOS. */
  readonly host?: number;
  readonly method?: number;
  readonly flags?: number;
  /** In the local header, where it differs. */
  readonly localName?: string | Buffer;
  readonly crc?: number;
  readonly size?: number;
  readonly compressedSize?: number;
  /** Sizes and CRC behind the data, zeros in the local header. */
  readonly dataDescriptor?: boolean;
  /** Sizes in a zip64 extra field. */
  readonly zip64?: boolean;
  /** Offset of the local header, where it lies. */
  readonly offset?: number;
}

export interface ZipOptions {
  readonly comment?: string;
  /** What the end record says. */
  readonly count?: number;
  /** A zip64 end record and its locator. */
  readonly zip64?: boolean;
}

export function zip(items: readonly ZipItem[], options: ZipOptions = {}): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const item of items) {
    const built = zipItem(item, offset);
    locals.push(built.local);
    centrals.push(built.central);
    offset += built.local.length;
  }
  const central = Buffer.concat(centrals);
  return Buffer.concat([
    ...locals,
    central,
    zipEnd(options.count ?? items.length, central.length, offset, options),
  ]);
}

function zipItem(item: ZipItem, at: number): { local: Buffer; central: Buffer } {
  const name = Buffer.from(item.name);
  const localName = Buffer.from(item.localName ?? item.name);
  const data = Buffer.from(item.data ?? '');
  const method = item.method ?? 8;
  const body = method === 8 ? deflateRawSync(data) : data;
  const crc = item.crc ?? crc32(data);
  const size = item.size ?? data.length;
  const packed = item.compressedSize ?? body.length;
  const flags = (item.flags ?? 0x0800) | (item.dataDescriptor ? 8 : 0);
  const mode = item.mode ?? (name.at(-1) === 0x2f ? 0o040755 : 0o100644);
  const extra = item.zip64 ? zip64Extra(size, packed) : Buffer.alloc(0);
  const shown = item.zip64 ? { size: 0xffffffff, packed: 0xffffffff } : { size, packed };
  const behind = item.dataDescriptor ?? false;

  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(20, 4);
  local.writeUInt16LE(flags, 6);
  local.writeUInt16LE(method, 8);
  local.writeUInt32LE(behind ? 0 : crc, 14);
  local.writeUInt32LE(behind ? 0 : shown.packed, 18);
  local.writeUInt32LE(behind ? 0 : shown.size, 22);
  local.writeUInt16LE(localName.length, 26);
  local.writeUInt16LE(extra.length, 28);
  const descriptor = Buffer.alloc(behind ? 16 : 0);
  if (behind)
    [0x08074b50, crc, packed, size].forEach((value, i) => void descriptor.writeUInt32LE(value, 4 * i));

  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt8(item.host ?? 3, 5);
  central.writeUInt16LE(20, 6);
  central.writeUInt16LE(flags, 8);
  central.writeUInt16LE(method, 10);
  central.writeUInt32LE(crc, 16);
  central.writeUInt32LE(shown.packed, 20);
  central.writeUInt32LE(shown.size, 24);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  central.writeUInt32LE((mode << 16) >>> 0, 38);
  central.writeUInt32LE(item.offset ?? at, 42);
  return {
    local: Buffer.concat([local, localName, extra, body, descriptor]),
    central: Buffer.concat([central, name, extra]),
  };
}

function zip64Extra(size: number, packed: number): Buffer {
  const extra = Buffer.alloc(20);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(16, 2);
  extra.writeBigUInt64LE(BigInt(size), 4);
  extra.writeBigUInt64LE(BigInt(packed), 12);
  return extra;
}

function zipEnd(count: number, size: number, offset: number, options: ZipOptions): Buffer {
  const comment = Buffer.from(options.comment ?? '');
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(options.zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : size, 12);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  if (!options.zip64) return Buffer.concat([end, comment]);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end, comment]);
}

/** An entry of a tar. Types are tar's own characters. */
export interface TarItem {
  readonly name: string;
  readonly type?: TarType;
  readonly data?: string | Uint8Array;
  readonly mode?: number;
  readonly linkname?: string;
  /** What the header says, where it lies. */
  readonly size?: number;
  /** Seconds since the epoch. */
  readonly mtime?: number;
  /** Records of a pax header before it: `{ path: 'x' }`. */
  readonly pax?: Readonly<Record<string, string>>;
}

export type TarType = keyof typeof tarTypes;
const tarTypes = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
  sparse: 'S',
  'volume-part': 'M',
};

/** `end: false` leaves out the end mark. */
export function tar(items: readonly TarItem[], options: { readonly end?: boolean } = {}): Buffer {
  const blocks = items.flatMap((item) => [
    ...(item.pax ? paxHeader(item.pax) : []),
    tarHeader(item.name, tarTypes[item.type ?? 'file'], item),
    padded(Buffer.from(item.data ?? '')),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(options.end === false ? 0 : 1024)]);
}

function tarHeader(name: string, type: string, item: Omit<TarItem, 'name' | 'type'>): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write(octal(item.mode ?? 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(item.size ?? Buffer.byteLength(item.data ?? ''), 11), 124);
  header.write(octal(item.mtime ?? 0, 11), 136);
  header.write(type, 156);
  header.write(item.linkname ?? '', 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return header;
}

function paxHeader(records: Readonly<Record<string, string>>): Buffer[] {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const bytes = Buffer.byteLength(rest);
    const length = bytes + String(bytes + String(bytes).length).length;
    return `${length}${rest}`;
  });
  const data = lines.join('');
  return [tarHeader('pax', 'x', { data }), padded(Buffer.from(data))];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}
