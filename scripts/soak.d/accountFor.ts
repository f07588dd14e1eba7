import type { Client } from 'minio';

/** What a life said, as the container's stdout had it. */
export interface Said {
  readonly lines: readonly string[];
  /** Its supervisor was killed: the line that was on its way then may be on stdout, in the logs, or in both. */
  readonly killed: boolean;
}

/** Compares what the bot said with what was shipped: each line once, in the order of its lives. */
export async function accountFor(client: Client, bot: string, lives: readonly Said[]): Promise<string[]> {
  const shipped = await shippedLines(client, bot);
  const said = new Set(lives.flatMap(({ lines }) => lines));
  const excused = new Set(lives.flatMap(({ lines, killed }) => (killed ? lines.slice(-1) : [])));
  const problems: string[] = [];

  const times = new Map<string, number>();
  for (const line of shipped) times.set(line, (times.get(line) ?? 0) + 1);
  for (const [line, count] of times)
    if (line.startsWith('line ') && count > 1) problems.push(`"${line}" was shipped ${count} times`);
  const missing = [...said].filter((line) => line.startsWith('line ') && !times.has(line));
  for (const line of missing.filter((line) => !excused.has(line)))
    problems.push(`"${line}" was said and not shipped`);
  const extra = [...times.keys()].filter((line) => !said.has(line));
  const killed = lives.filter((life) => life.killed).length;
  if (extra.length > killed)
    problems.push(`${extra.length} lines that stdout never had: ${extra.join(', ')}`);

  const both = shipped.filter((line) => line.startsWith('line ') && said.has(line));
  const order = lives
    .flatMap(({ lines }) => lines)
    .filter((line) => times.has(line) && line.startsWith('line '));
  if (problems.length === 0 && both.some((line, i) => line !== order[i]))
    problems.push('lines changed places');
  return problems;
}

async function shippedLines(client: Client, bot: string): Promise<string[]> {
  const shipped: string[] = [];
  for await (const { name } of client.listObjectsV2('bot-logs', `logs/${bot}/`, true)) {
    let text = '';
    for await (const chunk of (await client.getObject('bot-logs', name)).setEncoding('utf8')) text += chunk;
    for (const line of text.split('\n').filter((line) => line !== '')) {
      const { stream, message } = JSON.parse(line) as { stream: string; message: string };
      if (stream === 'stdout') shipped.push(message);
    }
  }
  return shipped;
}
