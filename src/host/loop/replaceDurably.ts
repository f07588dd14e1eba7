import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes `text` all that is in the file: on the disk when this resolves. A crash leaves the old file or the new one. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
