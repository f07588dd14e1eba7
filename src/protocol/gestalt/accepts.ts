import { connect } from 'node:net';

/** HTTP/2's connection preface, and an empty SETTINGS frame: what every client begins with. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const SETTINGS = 4;
const FRAME_HEADER_BYTES = 9;
const ANSWER_MS = 2000;

/**
 * Whether a gRPC server answers at a Unix socket: its SETTINGS frame has arrived. Not by a call: what a plugin serves depends on its
 * kind, and the answer to a call that it does not know would say nothing else.
 */
export function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let received: Buffer = Buffer.alloc(0);
    const end = (outcome: boolean) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.once('connect', () => socket.write(PREFACE));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length >= FRAME_HEADER_BYTES) end(received[3] === SETTINGS);
    });
  });
}
