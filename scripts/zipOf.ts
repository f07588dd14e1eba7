import { crc32, deflateRawSync } from 'node:zlib';

/** A zip of deflated files, readable by all. */
export function zipOf(files: readonly (readonly [name: string, data: string | Uint8Array])[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const path = Buffer.from(name);
    const data = Buffer.from(content);
    const packed = deflateRawSync(data);

    // What local header and central directory have in common: from "version needed" to "length of the extra field".
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);

    // Made on Unix, and a regular file of mode 0644.
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE(0o100644 * 0x10000, 6);
    attributes.writeUInt32LE(offset, 10);
    centrals.push(Buffer.from('PK\x01\x02\x14\x03'), common, attributes, path);
    const local = [Buffer.from('PK\x03\x04'), common, path, packed];
    locals.push(...local);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}
