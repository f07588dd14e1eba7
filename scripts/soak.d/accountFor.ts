import type { Client } from 'minio';

/** Compares what the bot said with what was shipped: each line once, in the order of its life. */
export async function accountFor(client: Client, bot: string, printed: readonly string[]): Promise<string[]> {
  const shipped: string[] = [];
  for await (const { name } of client.listObjectsV2('bot-logs', `logs/${bot}/`, true)) {
    let text = '';
    for await (const chunk of (await client.getObject('bot-logs', name)).setEncoding('utf8')) text += chunk;
    for (const line of text.split('\n').filter((line) => line !== '')) {
      const { stream, message } = JSON.parse(line) as { stream: string; message: string };
      if (stream === 'stdout') shipped.push(message);
    }
  }
  const problems: string[] = [];
  const count = new Map<string, number>();
  for (const line of shipped) count.set(line, (count.get(line) ?? 0) + 1);
  for (const line of printed.filter((line) => line.startsWith('line '))) {
    const times = count.get(line) ?? 0;
    if (times !== 1) problems.push(`"${line}" was shipped ${times} times`);
  }
  if (shipped.length !== printed.length)
    problems.push(`${printed.length} lines said, ${shipped.length} shipped`);
  if (problems.length === 0 && shipped.some((line, i) => line !== printed[i]))
    problems.push('lines changed places');
  return problems;
}
