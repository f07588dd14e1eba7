/** Answers messages, and remembers each conversation under STATE_DIR, over restarts too. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

// What it remembers outlives its process.
export const capabilities = { conversations: 'persistent' };

/** Called for each message. Gives a text, an iterator of texts (streamed), or a promise of either. */
export async function* onMessage(text, { conversation, stateDir }) {
  const folder = join(stateDir, 'conversations');
  const file = join(folder, `${conversation}.json`);
  const said = JSON.parse(await readFile(file, 'utf8').catch(() => '[]'));
  said.push(text);
  await mkdir(folder, { recursive: true });
  await writeFile(file, JSON.stringify(said));

  // Ask a model here. What it used is told with: usage({ model: 'm', input: 12, output: 3 })
  yield `You said: ${text}`;
  if (said.length > 1) yield ` (that makes ${said.length}, the first was: ${said[0]})`;
}
