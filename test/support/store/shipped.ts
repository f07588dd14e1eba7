import { inject } from 'vitest';
import { minioClient } from './minio.ts';

export interface ShippedLine {
  readonly stream: string;
  readonly message: string;
}

/** All lines of a bot that were shipped, oldest first, as another client sees them. */
export async function shipped(botId: string): Promise<ShippedLine[]> {
  const client = minioClient(inject('minio'));
  const pieces: Buffer[] = [];
  for await (const { name } of client.listObjectsV2('bot-logs', `logs/${botId}/`, true)) {
    for await (const chunk of await client.getObject('bot-logs', name)) pieces.push(chunk);
  }
  const lines = Buffer.concat(pieces).toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ShippedLine);
}
