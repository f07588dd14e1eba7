import type { ClientRequest, IncomingMessage } from 'node:http';

/** The head of the answer, also of one that agrees to another protocol; its socket then begins with what came behind the head. */
export function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('upgrade', (response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(response);
    });
    // Stays for good: an error after the head reaches the reader of the body.
    outgoing.on('error', reject);
  });
}

/** The whole body as text. Throws where it has more than `mostBytes`. */
export async function readWhole(body: AsyncIterable<Buffer>, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes) throw new Error('an answer that is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
