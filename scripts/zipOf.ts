import { crc32, deflateRawSync } from 'node:zlib';

/** A zip of one deflated file, readable by all. */
export function zipOf(name: string, text: string): Buffer {
  const path = Buffer.from(name);
  const data = Buffer.from(text);
  const packed = deflateRawSync(data);

  // What local header and central directory have in common: from "version needed" to "length of the extra field".
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(path.length, 22);

  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, packed]);
  // Made on Unix, and a regular file of mode 0644 at offset 0.
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE(0o100644 * 0x10000, 6);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, attributes, path]);

  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
