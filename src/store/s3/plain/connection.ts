import { connect, type Socket } from 'node:net';

/** Who has the connection. */
export interface Receiver {
  /** Where the next bytes are to lie; undefined: anywhere. */
  room(): Uint8Array | undefined;
  /** They lie where there was room for them, or are the receiver's own. */
  receive(bytes: Buffer): void;
}

/** A connection to a store. While nobody has it, it has nothing to say: what does is closed. */
export interface Connection {
  readonly socket: Socket;
  /** It has carried a request before. */
  isUsed: boolean;
  belongTo(receiver: Receiver | undefined): void;
}

/** As many as Node itself reads at a time. */
const READ_BYTES = 64 * 1024;
/** What is copied, so that the memory it was read into can be read into again. */
const SMALL_BYTES = 8 * 1024;

/** The kernel's bytes go where the receiver wants them: without that each 64 KiB are garbage of their own. */
export function openConnection(host: string, port: number): Connection {
  let receiver: Receiver | undefined;
  let own = Buffer.allocUnsafeSlow(READ_BYTES);
  const take = (count: number, read: Uint8Array): Buffer => {
    const bytes = Buffer.from(read.buffer, read.byteOffset, count);
    if (read !== own) return bytes;
    if (count <= SMALL_BYTES) return Buffer.from(bytes);
    own = Buffer.allocUnsafeSlow(READ_BYTES);
    return bytes;
  };
  const socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: () => receiver?.room() ?? own,
      callback: (count, read) => {
        const bytes = take(count, read);
        if (receiver) receiver.receive(bytes);
        else socket.destroy();
        return true;
      },
    },
  });
  return {
    socket,
    isUsed: false,
    belongTo: (next) => {
      receiver = next;
    },
  };
}
